//! The answer page, the answer and the unsubscribe.
