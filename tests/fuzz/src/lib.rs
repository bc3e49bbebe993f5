//! The readers of ingest-events without its table, so that the AWS SDK needn't be built for the fuzzers, and what the
//! fuzzers check of them.
#![allow(dead_code, reason = "what only the function itself calls")]

extern crate self as ingest_events;

/// Takes modules of the function as they are.
macro_rules! readers {
    ($($path:literal $name:ident)*) => {
        $(
            #[path = $path]
            pub mod $name;
        )*
    };
}

readers! {
    "../../../functions/ingest-events/src/answer.rs" answer
    "../../../functions/ingest-events/src/cloudevents.rs" cloudevents
    "../../../functions/ingest-events/src/cors.rs" cors
    "../../../functions/ingest-events/src/device.rs" device
    "../../../functions/ingest-events/src/documents.rs" documents
    "../../../functions/ingest-events/src/envelope.rs" envelope
    "../../../functions/ingest-events/src/event.rs" event
    "../../../functions/ingest-events/src/fault.rs" fault
    "../../../functions/ingest-events/src/fields.rs" fields
    "../../../functions/ingest-events/src/jitsu.rs" jitsu
    "../../../functions/ingest-events/src/json.rs" json
    "../../../functions/ingest-events/src/key.rs" key
    "../../../functions/ingest-events/src/limits.rs" limits
    "../../../functions/ingest-events/src/open.rs" open
    "../../../functions/ingest-events/src/posthog.rs" posthog
    "../../../functions/ingest-events/src/read.rs" read
    "../../../functions/ingest-events/src/refusal.rs" refusal
    "../../../functions/ingest-events/src/request.rs" request
    "../../../functions/ingest-events/src/route.rs" route
    "../../../functions/ingest-events/src/segment.rs" segment
    "../../../functions/ingest-events/src/time.rs" time
    "../../../functions/ingest-events/src/tolerant.rs" tolerant
}

pub mod checks;
