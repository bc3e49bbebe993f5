//! Publishes what a crash left in the outbox.
