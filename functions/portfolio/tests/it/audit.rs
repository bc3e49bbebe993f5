//! Who changed what: every write leaves one entry, and nothing but a write does.

use barometer_cloud::table::{
    answers::{Answer as Said, Origin},
    audit::Entry,
    cases::{Case, Place},
    credentials::{Kind, Scope},
};
use barometer_domain::{alert, answer::Rating, disagreement::{Disagreement, Readings}, task};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::common::{Answer, Home, NOW, at, company, user};
