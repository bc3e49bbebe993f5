//! What surrounds every page behind a session.

/// Workspace and visitor in a page's head.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// The workspace's name.
    pub workspace: String,
    /// Who is signed in.
    pub author: String,
    /// Whether they may change companies.
    pub writes: bool,
    /// Whether they may change settings.
    pub admin: bool,
}
