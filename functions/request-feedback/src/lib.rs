//! Every 15 minutes: asks whoever's turn it is.
