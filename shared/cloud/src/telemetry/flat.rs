//! One JSON object a line: `level`, `target`, `message` and the event's own fields, and within a call its `request_id` and
//! `trace_id`. Spans are left out: what a line says stands in the line.

use std::fmt;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use crate::invocation;

/// Formats events as flat JSON.
#[derive(Debug, Clone, Copy)]
pub struct Flat;

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Line(Map::new());
        event.record(&mut line);
        let Line(mut line) = line;
        let metadata = event.metadata();
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("target".to_owned(), metadata.target().into());
        if let Some(invocation) = invocation::current() {
            line.insert("request_id".to_owned(), invocation.request_id.as_str().into());
            line.insert("trace_id".to_owned(), invocation.trace_id.as_str().into());
        }
        writeln!(writer, "{}", Value::Object(line))
    }
}

struct Line(Map<String, Value>);

impl Line {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use serde_json::json;
    use tracing::subscriber::with_default;

    use super::*;
    use crate::invocation::Invocation;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn line(say: impl FnOnce()) -> Value {
        let written = Written::default();
        let writer = written.clone();
        let logs = tracing_subscriber::fmt().event_format(Flat).with_writer(move || writer.clone()).finish();
        with_default(logs, say);
        let bytes = written.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_line_is_flat_and_keeps_its_fields_kinds() {
        let line = line(|| {
            let _span = tracing::info_span!("left out", secret = "x").entered();
            tracing::warn!(left = 3, done = true, share = 0.5, company = %"a\"b", "run overdue");
        });
        let target = "barometer_cloud::telemetry::flat::tests";
        assert_eq!(
            line,
            json!({ "level": "WARN", "target": target, "message": "run overdue", "left": 3, "done": true,
                "share": 0.5, "company": "a\"b" })
        );
    }

    #[test]
    fn a_line_within_a_call_names_the_call_and_its_matter() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let invocation = Arc::new(Invocation::new("r-1", Some("Root=1-2")));
        let line = line(|| runtime.block_on(invocation.scope(async { tracing::info!("sweep") })));
        assert_eq!((&line["request_id"], &line["trace_id"]), (&json!("r-1"), &json!("1-2")));
    }
}
