//! How far an import is: a bar where somebody looks at it, a line now and then elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::summary::Summary;

/// Between two lines.
const LINES: Duration = Duration::from_secs(5);

/// The progress of one import. Clones show on the same bar.
#[derive(Debug, Clone)]
pub struct Progress {
    bar: Option<ProgressBar>,
    length: u64,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    began: Instant,
    rows_before: u64,
    said: Instant,
    waiting: bool,
}

impl Progress {
    /// Begins at `byte` of `length`, after `rows`.
    #[must_use]
    pub fn begin(length: u64, byte: u64, rows: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("[{wide_bar}] {percent:>3} %  {msg}  {eta} left");
            let bar = ProgressBar::new(length)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
                .with_position(byte);
            bar.reset_eta();
            bar
        });
        let now = Instant::now();
        let shared = Shared { began: now, rows_before: rows, said: now, waiting: false };
        Self { bar, length, shared: Arc::new(Mutex::new(shared)) }
    }

    /// A batch is in.
    pub fn at(&self, byte: u64, summary: &Summary) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.waiting = false;
        let seconds = shared.began.elapsed().as_secs_f64().max(0.001);
        let speed = (summary.rows - shared.rows_before.min(summary.rows)) as f64 / seconds;
        let told = format!("{} rows, {} rejected, {speed:.0} rows/s", summary.rows, summary.all_rejected());
        match &self.bar {
            Some(bar) => {
                bar.set_position(byte);
                bar.set_message(told);
            }
            None if shared.said.elapsed() >= LINES => {
                shared.said = Instant::now();
                say(&format!("{:>3} %  {told}", byte * 100 / self.length.max(1)));
            }
            None => {}
        }
    }

    /// Something has to be sent again. Said once until it goes on.
    pub fn waiting(&self, why: &(dyn std::error::Error + 'static)) {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut shared.waiting, true) {
            let text = format!("trying again: {}", barometer_cloud::lambda::Chain(why));
            match &self.bar {
                Some(bar) => bar.println(text),
                None => say(&text),
            }
        }
    }

    /// The end.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn say(text: &str) {
    // When standard error is closed nobody wants to know.
    let _ = writeln!(io::stderr(), "{text}");
}
