//! Progress on standard error: a line that renews itself on a terminal, plain lines where that was asked
//! for elsewhere.
//!
//! The scan counts; this only shows.

use super::args::{Speech, When};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::message::note;

/// The scan takes a plain function, so what it draws on is found here.
static BAR: OnceLock<ProgressBar> = OnceLock::new();
static LAST: Mutex<Option<Instant>> = Mutex::new(None);

const PLAIN: Duration = Duration::from_secs(2);

/// What the scan may call; `None` where nobody wants to see it.
pub(super) fn wanted(speech: &Speech) -> Option<fn(u64, u64)> {
    let is_terminal = io::stderr().is_terminal();
    match speech.progress {
        When::Never => None,
        When::Auto if speech.quiet || !is_terminal => None,
        When::Always if !is_terminal => Some(plain),
        When::Auto | When::Always => {
            BAR.get_or_init(bar);
            Some(redraw)
        }
    }
}

/// Takes the line away, so that a report starts on a clean one.
pub(super) fn clear() {
    if let Some(bar) = BAR.get() {
        bar.finish_and_clear();
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
    let style = ProgressStyle::with_template("{msg}  {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

fn redraw(done: u64, bytes: u64) {
    if let Some(bar) = BAR.get() {
        bar.set_message(text(done, bytes));
        bar.tick();
    }
}

fn plain(done: u64, bytes: u64) {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if last.is_none_or(|it| it.elapsed() >= PLAIN) {
        *last = Some(Instant::now());
        note(&text(done, bytes));
    }
}

fn text(done: u64, bytes: u64) -> String {
    format!(
        "scanning: {done} files and objects, {:.1} MB",
        bytes as f64 / 1e6
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_disturbed_unasked() {
        let speech = |quiet, progress| Speech {
            quiet,
            progress,
            ..Speech::default()
        };
        assert!(wanted(&speech(false, When::Never)).is_none());
        assert!(wanted(&speech(true, When::Auto)).is_none());
        assert!(wanted(&speech(true, When::Always)).is_some());
        assert_eq!(text(3, 2_500_000), "scanning: 3 files and objects, 2.5 MB");
    }
}
