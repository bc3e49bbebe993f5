//! Faults on request (`POST /local/faults`): what the services under the clients do wrong, and how often.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A service that can be told to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// The table.
    Dynamodb,
    /// Mail.
    Ses,
    /// The bus.
    Events,
}

/// What goes wrong. Without any of the kinds, calls are only delayed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// The service's own throttling error.
    pub throttle: bool,
    /// A server error (500), before anything is done.
    pub error: bool,
    /// Mail is accepted and lost. The others do what was asked, but the answer is lost with the connection.
    pub drop: bool,
    /// Mail: the quota of a day is used up.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quota: bool,
    /// Mail: sending is paused.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Mail: the message is rejected.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reject: bool,
    /// Mail is sent, and the caller gets a server error (500).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub error_after_accept: bool,
    /// Mail is sent and comes back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bounce: bool,
    /// Mail is sent and called spam.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub complain: bool,
    /// How long each call is held first, milliseconds.
    pub delay_ms: u64,
    /// How many calls fail before all is well again; all of them when absent.
    pub times: Option<u32>,
}

impl Fault {
    /// Whether a service can do this wrong: some kinds are those of mail only.
    #[must_use]
    pub fn fits(&self, service: Service) -> bool {
        let of_mail = self.quota
            || self.paused
            || self.reject
            || self.error_after_accept
            || self.bounce
            || self.complain;
        !of_mail || service == Service::Ses
    }

    fn effect(&self) -> Effect {
        match self {
            Self { throttle: true, .. } => Effect::Throttle,
            Self { quota: true, .. } => Effect::Quota,
            Self { paused: true, .. } => Effect::Paused,
            Self { reject: true, .. } => Effect::Reject,
            Self { error: true, .. } => Effect::Error,
            Self { error_after_accept: true, .. } => Effect::ErrorAfterAccept,
            Self { drop: true, .. } => Effect::Drop,
            Self { bounce: true, .. } => Effect::Bounce,
            Self { complain: true, .. } => Effect::Complain,
            _ => Effect::None,
        }
    }
}

/// What one call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The service's throttling error.
    Throttle,
    /// A server error.
    Error,
    /// See [`Fault::drop`].
    Drop,
    /// See [`Fault::quota`].
    Quota,
    /// See [`Fault::paused`].
    Paused,
    /// See [`Fault::reject`].
    Reject,
    /// See [`Fault::error_after_accept`].
    ErrorAfterAccept,
    /// See [`Fault::bounce`].
    Bounce,
    /// See [`Fault::complain`].
    Complain,
}

/// The faults in force.
pub type Plan = BTreeMap<Service, Fault>;

/// The faults in force, shared by the connectors.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    /// Replaces the faults of the named services (`None` ends them) and answers what is in force.
    pub fn set(&self, changes: BTreeMap<Service, Option<Fault>>) -> Plan {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (service, fault) in changes {
            match fault {
                Some(fault) => drop(plan.insert(service, fault)),
                None => drop(plan.remove(&service)),
            }
        }
        plan.clone()
    }

    /// Counts a call, holds it as long as asked and says what it meets.
    pub async fn meet(&self, service: Service) -> Effect {
        let Some(fault) = self.take(service) else { return Effect::None };
        if fault.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms)).await;
        }
        fault.effect()
    }

    fn take(&self, service: Service) -> Option<Fault> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = plan.get_mut(&service)?;
        let met = fault.clone();
        match &mut fault.times {
            Some(0) => return plan.remove(&service).and(None),
            Some(1) => drop(plan.remove(&service)),
            Some(left) => *left -= 1,
            None => {}
        }
        Some(met)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_ends_after_its_times() {
        let faults = Faults::default();
        assert_eq!(faults.meet(Service::Ses).await, Effect::None);
        let two = Fault { throttle: true, times: Some(2), ..Fault::default() };
        faults.set(BTreeMap::from([(Service::Ses, Some(two))]));
        assert_eq!(faults.meet(Service::Events).await, Effect::None);
        assert_eq!(faults.meet(Service::Ses).await, Effect::Throttle);
        assert_eq!(faults.meet(Service::Ses).await, Effect::Throttle);
        assert_eq!(faults.meet(Service::Ses).await, Effect::None);
    }

    #[tokio::test]
    async fn a_fault_without_times_stays_until_it_is_ended() {
        let faults = Faults::default();
        let plan = serde_json::from_str(r#"{"events":{"error":true}}"#).unwrap();
        assert_eq!(faults.set(plan).len(), 1);
        for _ in 0..3 {
            assert_eq!(faults.meet(Service::Events).await, Effect::Error);
        }
        assert!(faults.set(serde_json::from_str(r#"{"events":null}"#).unwrap()).is_empty());
        assert_eq!(faults.meet(Service::Events).await, Effect::None);
        assert!(serde_json::from_str::<BTreeMap<Service, Option<Fault>>>(r#"{"s3":null}"#).is_err());
        assert!(serde_json::from_str::<Fault>(r#"{"throttel":true}"#).is_err());
    }
}
