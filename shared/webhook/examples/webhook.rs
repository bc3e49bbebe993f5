//! Sends one signed event as Barometer does, to try a receiver: `webhook URL SECRET[,PREVIOUS] ID UNIX_SECONDS BODY`.
//! Prints what became of it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use barometer_webhook::{Client, MessageId, Outcome, Reach, Secret, Secrets};
use chrono::DateTime;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, secrets, id, seconds, body] =
        args.try_into().expect("URL SECRET[,PREVIOUS] ID UNIX_SECONDS BODY");
    let mut secrets = secrets.split(',').map(|secret| Secret::parse(secret).expect("a secret"));
    let secrets = Secrets { current: secrets.next().unwrap(), previous: secrets.next() };
    let id = MessageId::new(id).expect("an id");
    let at = DateTime::from_timestamp(seconds.parse().expect("seconds"), 0).expect("a time");
    match Client::new(Reach::Anywhere).send_event(&url, &secrets, &id, at, body.into()).await {
        Outcome::Delivered { status } => println!("delivered {status}"),
        Outcome::Failed { reason, permanent, .. } => println!("failed permanent={permanent} {reason}"),
    }
}
