//! Every month: one snapshot per company.
