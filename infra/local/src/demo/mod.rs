//! `barometer demo`: a home with twelve weeks of a hundred companies in it, told through the product's own routes.
//!
//! Seeded: every demonstration tells the same. The stories to look for are printed with the table.

mod cast;
mod random;
mod table;
mod week;

use std::io::{self, Write};

use barometer_cloud::views;
use barometer_cloud::workspaces::Created;
use barometer_domain::{IsoWeek, WorkspaceId, Zone, email::EmailAddress};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use http::{Method, StatusCode};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use thiserror::Error;

use crate::cli::CliError;
use crate::client::{Client, ClientError};
use crate::home::{Home, Options};
use crate::serve::{announce, stop_signal};
use cast::{Company, Story, WEEKS};
use random::Random;

/// What all made-up numbers follow from.
const SEED: u64 = 20_260_901;

/// Requests under way at the same time.
const AT_ONCE: usize = 4;

/// Why there is no demonstration.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The home doesn't answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The home answers something else than it should.
    #[error("{method} {path} was answered {status}: {body}")]
    Refused {
        /// The request's method.
        method: Method,
        /// Its path.
        path: String,
        /// The answer's status.
        status: StatusCode,
        /// The answer's body.
        body: String,
    },
    /// The answer isn't what it should be.
    #[error("an answer can't be read")]
    Json(#[from] serde_json::Error),
    /// The home's table.
    #[error(transparent)]
    Store(#[from] barometer_cloud::StoreError),
    /// The mailbox.
    #[error(transparent)]
    Mailbox(#[from] crate::records::RecordError),
    /// No sign-in link.
    #[error("no sign-in link")]
    SignIn(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Standard output is closed.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// Starts a home, tells the twelve weeks, prints what came of them, and keeps serving until told to stop.
///
/// # Errors
/// When the home doesn't start or refuses something.
pub async fn run(mut options: Options) -> Result<(), CliError> {
    let stop = stop_signal()?;
    // The last of the twelve weeks is the one that ended last.
    let this_week = IsoWeek::at(options.now.unwrap_or_else(Utc::now), Zone::UTC);
    let first_week = this_week.plus(-i64::from(WEEKS));
    options.now = Some(first_week.start(Zone::UTC));
    let home = Home::start(options).await?;
    let told = async {
        let director = Director::new(&home).await?;
        director.tell(first_week).await?;
        director.show().await
    };
    tokio::pin!(stop);
    tokio::select! {
        told = told => told?,
        () = &mut stop => {
            home.stop().await;
            return Ok(());
        }
    }
    announce(&home.url())?;
    stop.await;
    home.stop().await;
    Ok(())
}

/// Tells the weeks to a home.
struct Director<'a> {
    home: &'a Home,
    client: Client,
    keys: Created,
    cast: Vec<Company>,
}

impl<'a> Director<'a> {
    async fn new(home: &'a Home) -> Result<Self, DemoError> {
        let client = Client::new(&home.url());
        let new = json!({ "name": "Initech", "time_zone": "Etc/UTC", "admin_email": cast::ADMIN });
        let answer = client
            .send(Method::POST, "/local/workspaces", &[("content-type", "application/json")], new.to_string())
            .await?;
        let keys = serde_json::from_slice(&answer.body).map_err(|_| DemoError::Refused {
            method: Method::POST,
            path: "/local/workspaces".to_owned(),
            status: answer.status,
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })?;
        Ok(Self { home, client, keys, cast: cast::cast(SEED) })
    }

    /// Lifts the source's limit: weeks in seconds are faster than any product sends.
    async fn lift_limit(&self) -> Result<(), DemoError> {
        let (method, path) = (Method::GET, "/v1/sources");
        let authorization = format!("Bearer {}", self.keys.api_token);
        let headers = [("authorization", authorization.as_str())];
        let answer = self.client.send(method.clone(), path, &headers, String::new()).await?;
        let list: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let Some(id) = list.pointer("/items/0/id").and_then(Value::as_str) else {
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(DemoError::Refused { method, path: path.to_owned(), status: answer.status, body });
        };
        let limit = json!({ "rate": 1_000_000, "burst": 1_000_000 });
        self.api(Method::PATCH, &format!("{path}/{id}"), &limit).await
    }

    async fn tell(&self, first: IsoWeek) -> Result<(), DemoError> {
        self.lift_limit().await?;
        let features: Vec<Value> = week::FEATURES
            .iter()
            .map(|(key, label, plans)| json!({ "key": key, "label": label, "plans": plans }))
            .collect();
        let settings = json!({ "catalogue": features, "note": "The product's features." });
        self.api(Method::PUT, "/v1/settings", &settings).await?;
        for (email, name, role) in cast::MEMBERS {
            let member = json!({ "email": email, "name": name, "role": role });
            self.api(Method::POST, "/v1/members", &member).await?;
        }

        let steps = u64::from(WEEKS) * (self.cast.len() as u64 + 1) + 1;
        let bar = ProgressBar::new(steps).with_style(
            ProgressStyle::with_template("{msg:<28} [{bar:40}] {pos}/{len} {elapsed}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        let mut mails_read = 0;
        for number in 0..WEEKS {
            let week = first.plus(i64::from(number));
            let monday = week.start(Zone::UTC);
            bar.set_message(format!("week {week}"));
            // The schedules of the week run: last week's scores, this week's mails.
            self.clock(week.end(Zone::UTC) - TimeDelta::minutes(30)).await?;
            self.post_week(number, monday, &bar).await?;
            if number == 0 {
                self.introduce().await?;
            }
            if number == 9 {
                self.set_statuses().await?;
            }
            mails_read = self.answer_mails(mails_read).await?;
            bar.inc(1);
        }
        bar.set_message("scoring the last week");
        self.clock(first.plus(i64::from(WEEKS)).start(Zone::UTC) + TimeDelta::hours(7)).await?;
        bar.finish_and_clear();
        Ok(())
    }

    async fn post_week(
        &self,
        number: u32,
        monday: DateTime<Utc>,
        bar: &ProgressBar,
    ) -> Result<(), DemoError> {
        let authorization = format!("Basic {}", STANDARD.encode(format!("{}:", self.keys.write_key)));
        for companies in self.cast.chunks(AT_ONCE) {
            let mut posts = tokio::task::JoinSet::new();
            for company in companies {
                let bodies = week::batches(company, number, monday, SEED);
                let (client, authorization) = (self.client.clone(), authorization.clone());
                posts.spawn(async move {
                    for body in bodies {
                        let headers =
                            [("authorization", authorization.as_str()), ("content-type", "application/json")];
                        expect_ok(&client, Method::POST, "/v1/batch", &headers, body).await?;
                    }
                    Ok::<_, DemoError>(())
                });
            }
            for posted in posts.join_all().await {
                posted?;
                bar.inc(1);
            }
        }
        Ok(())
    }

    /// Owners, and whose people are asked.
    async fn introduce(&self) -> Result<(), DemoError> {
        for company in self.cast.iter().filter(|company| company.begins == 0) {
            let patch = json!({ "owner": company.owner, "request_feedback": company.asked });
            self.api(Method::PATCH, &format!("/v1/companies/{}", company.id), &patch).await?;
        }
        Ok(())
    }

    async fn set_statuses(&self) -> Result<(), DemoError> {
        for company in &self.cast {
            if let Some((status, note)) = company.status {
                let body = json!({ "status": status, "note": note });
                self.api(Method::PUT, &format!("/v1/companies/{}/status", company.id), &body).await?;
            }
        }
        Ok(())
    }

    /// People read their mail: some click a number and send it. Returns how many mails there are.
    async fn answer_mails(&self, read: usize) -> Result<usize, DemoError> {
        let mails = self.home.mailbox().list().await?;
        for mail in mails.iter().skip(read) {
            let (Some(to), Some(text)) = (mail.to.first(), mail.text.as_deref()) else { continue };
            let Some(company) = self.cast.iter().find(|company| to.contains(&format!("@{}.", company.id)))
            else {
                continue;
            };
            let seed =
                to.bytes().fold(SEED, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            let mut random = Random::of(seed, mail.sent_at.timestamp().unsigned_abs() / 86_400);
            if company.story == Story::NeverAnswers || !random.chance(60) {
                continue;
            }
            let rating = (u64::from(company.mood) + random.between(0, 2)).saturating_sub(1).min(10);
            let Some(path) = answer_path(text) else { continue };
            let comment = if rating <= 4 { "comment=It+gets+slower+with+every+release." } else { "comment=" };
            let form = format!("rating={rating}&{comment}");
            let headers = [("content-type", "application/x-www-form-urlencoded")];
            expect_ok(&self.client, Method::POST, &path, &headers, form).await?;
        }
        Ok(mails.len())
    }

    async fn show(&self) -> Result<(), DemoError> {
        let workspace: &WorkspaceId = &self.keys.workspace_id;
        let settings =
            self.home.table().settings(workspace).await?.map(|saved| saved.settings).unwrap_or_default();
        let companies = self.home.table().companies(workspace).await?;
        let now = self.home.now();
        let mut companies: Vec<_> =
            companies.iter().map(|company| views::company(company, &settings, now)).collect();
        companies.sort_by(|a, b| b.attention.cmp(&a.attention).then_with(|| a.name.cmp(&b.name)));
        let admin = EmailAddress::new(cast::ADMIN).map_err(|error| DemoError::SignIn(error.into()))?;
        let link = dashboard::sign_in_link(self.home.table(), workspace, &self.home.url(), &admin, now)
            .await
            .map_err(|error| DemoError::SignIn(error.into()))?;

        let mut out = io::stdout().lock();
        table::write(&mut out, &companies)?;
        writeln!(out, "\nStories to look for:")?;
        for company in &self.cast {
            let told = match company.story {
                Story::Ordinary => continue,
                Story::GoingQuiet => "went quiet three weeks ago, while its status still says Healthy",
                Story::FalseGreen => "busy and Thriving on paper, and its people don't like the product",
                Story::NeverAnswers => "asked every month, nobody ever answers",
                Story::New => "began two weeks ago: onboarding, no band yet",
                Story::Struggling => "happy people in a failing business",
            };
            writeln!(out, "  {:<20} {told}", company.name)?;
        }
        let gap = IsoWeek::at(now, Zone::UTC).plus(i64::from(cast::GAP_WEEK) - i64::from(WEEKS));
        writeln!(
            out,
            "  {gap}             a third of the companies' events never arrived: a data gap, no scores"
        )?;
        writeln!(out, "\nThe page    {}", self.home.url())?;
        writeln!(out, "Sign in     {link}")?;
        let others: Vec<&str> = cast::MEMBERS.iter().map(|(email, ..)| *email).collect();
        writeln!(
            out,
            "            as {}; mailed links for {} come to the mailbox",
            cast::ADMIN,
            others.join(", ")
        )?;
        writeln!(out, "Mailbox     {}/local/mailbox", self.home.url())?;
        writeln!(out, "API token   {}", self.keys.api_token)?;
        writeln!(out, "Write key   {}\n", self.keys.write_key)?;
        Ok(())
    }

    async fn clock(&self, now: DateTime<Utc>) -> Result<(), DemoError> {
        let headers = [("content-type", "application/json")];
        let body = json!({ "now": now }).to_string();
        expect_ok(&self.client, Method::POST, "/local/clock", &headers, body).await
    }

    async fn api(&self, method: Method, path: &str, body: &Value) -> Result<(), DemoError> {
        let authorization = format!("Bearer {}", self.keys.api_token);
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
        expect_ok(&self.client, method, path, &headers, body.to_string()).await
    }
}

/// The path of the answer page in a mail's text, without the rating.
fn answer_path(text: &str) -> Option<String> {
    let at = text.find("/f/")?;
    let token: String = text
        .get(at + 3..)?
        .chars()
        .take_while(|char| char.is_ascii_alphanumeric() || "-_".contains(*char))
        .collect();
    Some(format!("/f/{token}"))
}

async fn expect_ok(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: String,
) -> Result<(), DemoError> {
    let answer = client.send(method.clone(), path, headers, body).await?;
    if answer.status.is_success() {
        return Ok(());
    }
    Err(DemoError::Refused {
        method,
        path: path.to_owned(),
        status: answer.status,
        body: String::from_utf8_lossy(&answer.body).into_owned(),
    })
}
