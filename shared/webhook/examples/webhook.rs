//! Sends one signed event as Barometer does, to try a receiver: `webhook URL SECRET[,PREVIOUS] ID UNIX_SECONDS BODY`.
//! Prints what became of it.
#![allow(clippy::expect_used)]

use barometer_webhook::{Client, MessageId, Outcome, Reach, Secrets};
use chrono::DateTime;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, secrets, id, seconds, body] =
        args.try_into().expect("URL SECRET[,PREVIOUS] ID UNIX_SECONDS BODY");
    let (current, previous) =
        secrets.split_once(',').map_or((&*secrets, None), |(one, two)| (one, Some(two)));
    let secrets = Secrets::parse(current, previous).expect("secrets");
    let id = MessageId::new(id).expect("an id");
    let at = DateTime::from_timestamp(seconds.parse().expect("seconds"), 0).expect("a time");
    match Client::new(Reach::Anywhere).send_event(&url, &secrets, &id, at, body.into()).await {
        Outcome::Delivered { status } => println!("delivered {status}"),
        Outcome::Failed { reason, permanent, .. } => println!("failed permanent={permanent} {reason}"),
    }
}
