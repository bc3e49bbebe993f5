//! The CSM's web page.
