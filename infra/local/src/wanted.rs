//! A workspace as it is asked for on the command line and in `POST /local/workspaces`.

use barometer_cloud::workspaces::NewWorkspace;
use barometer_domain::{Zone, email::EmailAddress};
use clap::Args;
use serde::{Deserialize, Serialize};

/// The workspace to make.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The workspace's name.
    #[arg(long)]
    name: String,
    /// Its time zone, such as Europe/Berlin [default: UTC].
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<Zone>,
    /// A write key to use instead of a new one.
    #[arg(long, value_name = "KEY")]
    write_key: Option<String>,
    /// The e-mail address of its first member, who signs in at the page as an admin.
    #[arg(long, value_name = "ADDRESS")]
    admin_email: Option<EmailAddress>,
}

fn zone(name: &str) -> Result<Zone, String> {
    Zone::try_from(name.to_owned()).map_err(|error| error.to_string())
}

impl From<Wanted> for NewWorkspace {
    fn from(wanted: Wanted) -> Self {
        let Wanted { name, time_zone, write_key, admin_email } = wanted;
        Self { name, time_zone, write_key, admin_email }
    }
}
