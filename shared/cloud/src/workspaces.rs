//! Workspaces: the tenants, with the first keys of each.

use barometer_domain::{IdError, IsoWeek, Settings, WorkspaceId, Zone, email::EmailAddress};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    StoreError, Table,
    bus::hex,
    table::{
        credentials::{Credential, Kind, Scope},
        settings::SettingsVersion,
        team::{Member, Role},
    },
};

/// A workspace as the schedules see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The earliest week with events, where scoring begins. Nothing before the first event.
    #[serde(default)]
    pub first_week: Option<IsoWeek>,
}

/// A workspace to make.
#[derive(Debug, Clone, Default)]
pub struct NewWorkspace {
    /// Its name.
    pub name: String,
    /// Its zone; UTC when absent.
    pub time_zone: Option<Zone>,
    /// Its first write key; a random one when absent.
    pub write_key: Option<String>,
    /// The address of its first member, an admin; without one it has its API token only.
    pub admin_email: Option<EmailAddress>,
}

/// A workspace that was made, with its secrets, which are shown this once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Created {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Posts events.
    pub write_key: String,
    /// Calls the CSM's API with every scope.
    pub api_token: String,
}

/// A workspace can't be made.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name is empty.
    #[error("a workspace has a name")]
    Name,
    /// The write key has fewer than 8 or more than 200 characters, or others than letters, digits, `_` and `-`.
    #[error("a write key has 8 to 200 letters, digits, - and _")]
    WriteKey,
    /// The write key belongs to a workspace already.
    #[error("this write key is taken")]
    Taken,
    /// The operating system has no random numbers.
    #[error("no random numbers")]
    Random(#[from] getrandom::Error),
    /// The table.
    #[error(transparent)]
    Store(StoreError),
    /// Not an identifier.
    #[error(transparent)]
    Id(#[from] IdError),
}

/// A random secret with a prefix that says what it is: 24 bytes of the operating system's randomness.
pub fn secret(prefix: &str) -> Result<String, getrandom::Error> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{prefix}_{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// A random identifier of 12 bytes, in hexadecimal digits.
pub fn random_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 12];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// Makes a workspace with a write key and an API token. Errors: [`CreateError`].
pub async fn create(table: &Table, new: NewWorkspace, now: DateTime<Utc>) -> Result<Created, CreateError> {
    if new.name.trim().is_empty() {
        return Err(CreateError::Name);
    }
    let write_key = match new.write_key {
        Some(key) => {
            let legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
            if !(8..=200).contains(&key.len()) || !key.chars().all(legal) {
                return Err(CreateError::WriteKey);
            }
            key
        }
        None => secret("wk")?,
    };
    let workspace_id = WorkspaceId::new(format!("ws_{}", random_id()?))?;
    let api_token = secret("bat")?;
    let credential = |kind, scope, label: &str| -> Result<Credential, getrandom::Error> {
        Ok(Credential {
            id: random_id()?,
            workspace_id: workspace_id.clone(),
            kind,
            scope,
            label: label.to_owned(),
            author: label.to_owned(),
            created_at: now,
            expires_at: None,
        })
    };
    let settings = SettingsVersion {
        version: 1,
        saved_at: now,
        author: "barometer".to_owned(),
        note: "The defaults.".to_owned(),
        scoring_since: 1,
        settings: Settings {
            name: new.name.trim().to_owned(),
            time_zone: new.time_zone.unwrap_or_default(),
            ..Settings::default()
        },
    };
    let admin = match new.admin_email {
        Some(email) => Some(Member {
            id: format!("mem_{}", random_id()?),
            workspace_id: workspace_id.clone(),
            name: email.local_part().to_owned(),
            email,
            role: Role::Admin,
            added_by: "barometer".to_owned(),
            added_at: now,
            last_sign_in: None,
        }),
        None => None,
    };
    let write = credential(Kind::WriteKey, None, "first write key")?;
    let token = credential(Kind::ApiToken, Some(Scope::Admin), "first API token")?;
    let made = table
        .create_workspace(
            &Workspace { workspace_id: workspace_id.clone(), created_at: now, first_week: None },
            &settings,
            [(write_key.as_str(), &write), (api_token.as_str(), &token)],
            admin.as_ref(),
        )
        .await;
    match made {
        Ok(()) => Ok(Created { workspace_id, write_key, api_token }),
        Err(StoreError::Conflict) => Err(CreateError::Taken),
        Err(error) => Err(CreateError::Store(error)),
    }
}
