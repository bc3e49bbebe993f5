//! A CSM sets the business status of a company.
