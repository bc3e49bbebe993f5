//! The mails that rules send in a CSM's name: each at most once.

use barometer_cloud::{
    StoreError,
    automation::still_holds,
    contacts::address_of,
    lambda::Chain,
    mail::MailError,
    metrics::{Metric, count},
    table::actions::{Action, ActionState},
    watch::Watch,
};
use barometer_domain::{
    automation::Wanted,
    follow_up::{Kind, Priority, Wanted as WantedTask, next_business_day},
    task::Subject,
    token::Purpose,
};
use barometer_message::letter::Letter;
use chrono::TimeDelta;

use crate::{End, Round};

/// After this long a worker that is at a mail has come to an end.
const SUBMITTED: TimeDelta = TimeDelta::minutes(10);
/// When a mail that SES doesn't take for now is tried again.
const AGAIN: TimeDelta = TimeDelta::minutes(15);
/// For how long it is tried again: later it would come out of place.
const TRIED: TimeDelta = TimeDelta::hours(24);

impl Round<'_> {
    pub(crate) async fn mail(&self, mut action: Action) -> Result<End, StoreError> {
        if action.state == ActionState::Submitting {
            self.end(action, ActionState::Unknown, Some("ended while submitting".to_owned())).await?;
            count(Metric::Unknown, 1);
            return Ok(End::Failed);
        }
        let Wanted::Email { user_id: Some(user), subject, text, language, csm } = action.wanted.clone()
        else {
            self.end(action, ActionState::Skipped, Some("nobody to mail".to_owned())).await?;
            return Ok(End::Dropped);
        };
        let (table, workspace, now) = (&self.deps.table, self.workspace, self.now);
        let company = table.company(workspace, &action.company_id).await?;
        let stands = company.filter(|company| still_holds(&action.happened, action.occurred_at, company));
        let Some(company) = stands else {
            self.end(action, ActionState::Cancelled, Some("the status was set back".to_owned())).await?;
            return Ok(End::Dropped);
        };
        let found = address_of(table, workspace, &action.company_id, &user, self.settings, now).await?;
        let Some((address, name)) = found else {
            self.nobody(&action, &company.name, company.owner.as_deref()).await?;
            self.end(action, ActionState::Skipped, Some("mails don't reach the contact any more".to_owned()))
                .await?;
            return Ok(End::Dropped);
        };
        let send = action.send_id(workspace);
        let letter = Letter {
            language,
            settings: self.settings,
            from: self.sender,
            csm: csm.as_deref(),
            to: &address,
            name: name.as_deref(),
            subject: &subject,
            text: &text,
            origin: &self.deps.origin,
            unsubscribe: &self.deps.link_keys.sign(Purpose::Unsubscribe, send, None),
            send,
            date: now,
        };
        let mime = match letter.compose() {
            Ok(mime) => mime,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), send_id = %send, "no mail can be written");
                self.end(action, ActionState::Failed, Some(error.to_string())).await?;
                return Ok(End::Failed);
            }
        };
        (action.state, action.due_at) = (ActionState::Submitting, Some(now + SUBMITTED));
        action.attempts += 1;
        let Some(mut action) = table.begin_mail(workspace, &action, (&user, &address)).await? else {
            return Ok(End::Held);
        };
        match self.deps.mailer.send(send, &address, mime).await {
            Ok(message_id) => {
                action.message_id = Some(message_id);
                self.end(action, ActionState::Done, None).await?;
                Ok(End::Done)
            }
            Err(MailError::NotSent(hold)) if now < action.planned_at + TRIED => {
                tracing::warn!(reason = %hold, send_id = %send, "mails are not taken for now");
                (action.state, action.due_at) = (ActionState::Planned, Some(now + AGAIN));
                action.reason = Some(hold.to_string());
                table.write_action(workspace, &action).await?;
                Ok(End::PutOff)
            }
            Err(MailError::NotSent(hold)) => {
                self.end(action, ActionState::Failed, Some(hold.to_string())).await?;
                Ok(End::Failed)
            }
            Err(MailError::Rejected(reason)) => {
                tracing::error!(reason, send_id = %send, "the mail was rejected");
                self.end(action, ActionState::Failed, Some(reason)).await?;
                Ok(End::Failed)
            }
            Err(MailError::Unknown(reason)) => {
                tracing::warn!(reason, send_id = %send, "it isn't known whether the mail was sent");
                self.end(action, ActionState::Unknown, Some(reason)).await?;
                Ok(End::Failed)
            }
        }
    }

    /// Rule: where nobody can be mailed, the task says so.
    async fn nobody(&self, action: &Action, company: &str, owner: Option<&str>) -> Result<(), StoreError> {
        let Self { deps, workspace, settings, now, .. } = *self;
        let watch = Watch { table: &deps.table, workspace, company: Some(&action.company_id), now };
        let wanted = WantedTask {
            kind: Kind::Automation,
            priority: Priority::High,
            due_at: next_business_day(now, settings.time_zone),
            title: format!("A mail to {company} wasn't sent, because nobody there can be mailed: call them"),
            at: now,
        };
        let subject = Subject::Automation { rule: action.rule.clone() };
        let event = watch.wanted(subject, wanted, owner.map(str::to_owned)).await?;
        deps.table.publish_or_leave(&deps.bus, workspace, event.as_slice()).await;
        Ok(())
    }
}
