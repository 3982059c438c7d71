//! What is shown while files arrive: one bar on a terminal, a line a file elsewhere.

use bnbpip_index::Progress;
use bnbpip_report::sizes;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::values::ProgressBar as Choice;
use crate::printer::Printer;

/// Shows downloads.
pub(crate) struct DownloadProgress {
    printer: &'static Printer,
    style: Style,
}

enum Style {
    /// One bar for all bytes.
    Bar(ProgressBar),
    /// pip's lines.
    Lines,
    /// `Progress <done> of <total>` for another program.
    Raw {
        total_bytes: u64,
        done_bytes: std::sync::atomic::AtomicU64,
    },
    /// Nothing.
    Silent,
}

impl DownloadProgress {
    /// Progress over `total_bytes` (as far as known) of downloads.
    pub(crate) fn new(printer: &'static Printer, choice: Choice, total_bytes: u64) -> Self {
        let style = match choice {
            Choice::Off => Style::Silent,
            Choice::Raw => Style::Raw {
                total_bytes,
                done_bytes: 0.into(),
            },
            Choice::On => Style::Bar(bar(printer, total_bytes)),
            Choice::Auto if printer.is_terminal() => Style::Bar(bar(printer, total_bytes)),
            Choice::Auto => Style::Lines,
        };
        Self { printer, style }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        if let Style::Bar(bar) = &self.style {
            bar.finish_and_clear();
        }
    }
}

fn bar(printer: &Printer, total_bytes: u64) -> ProgressBar {
    let bar = printer.progress().add(ProgressBar::new(total_bytes));
    let template = "{bar:30} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {wide_msg}";
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        // Plain characters: they are in every code page of a Windows console.
        .progress_chars("#>-");
    bar.set_style(style);
    bar
}

impl Progress for DownloadProgress {
    fn started(&self, filename: &str, total_bytes: Option<u64>, resumed_bytes: u64) {
        match &self.style {
            Style::Bar(bar) => {
                bar.inc(resumed_bytes);
                bar.set_message(filename.to_string());
            }
            Style::Lines => {
                let size = total_bytes.map(|total| format!(" ({})", sizes::bytes(total)));
                let resumed = if resumed_bytes > 0 {
                    format!(", {} of it are here", sizes::bytes(resumed_bytes))
                } else {
                    String::new()
                };
                let size = size.unwrap_or_default();
                self.printer
                    .info(&format!("  Downloading {filename}{size}{resumed}"));
            }
            Style::Raw { .. } | Style::Silent => {}
        }
    }

    fn advanced(&self, _: &str, bytes: u64) {
        match &self.style {
            Style::Bar(bar) => bar.inc(bytes),
            Style::Raw {
                total_bytes,
                done_bytes,
            } => {
                let done =
                    done_bytes.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed) + bytes;
                self.printer
                    .info(&format!("Progress {done} of {total_bytes}"));
            }
            Style::Lines | Style::Silent => {}
        }
    }

    fn finished(&self, _: &str) {}
}
