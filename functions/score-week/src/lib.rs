//! Every week: one snapshot per company.
