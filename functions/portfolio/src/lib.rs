//! The CSM's API: companies, snapshots, settings, tokens.
