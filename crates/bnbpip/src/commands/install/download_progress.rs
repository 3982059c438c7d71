//! What is told of the files that are fetched: pip's line for each before, one bar on a terminal
//! while they arrive.

use bnbpip_index::{IndexClient, PackageFile, Progress};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::values::ProgressBar as Choice;
use crate::printer::Printer;

/// Says in pip's words that a server's file comes now, or that the cache has it.
pub(crate) fn announce(file: &PackageFile, client: &IndexClient, printer: &Printer) {
    if !["http", "https"].contains(&file.url.scheme()) {
        return;
    }
    let size = file.size_bytes.map(|bytes| format!(" ({})", size(bytes)));
    let (name, size) = (&file.filename_text, size.unwrap_or_default());
    let is_cached = client.is_here(file);
    let what = if is_cached {
        "Using cached"
    } else {
        "Downloading"
    };
    printer.narrate(&format!("  {what} {name}{size}"));
}

/// A size as pip writes it.
#[expect(clippy::cast_precision_loss, reason = "one decimal place is shown")]
fn size(bytes: u64) -> String {
    match bytes {
        1_000_001.. => format!("{:.1} MB", bytes as f64 / 1e6),
        10_001.. => format!("{} kB", bytes / 1000),
        1_001.. => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{bytes} bytes"),
    }
}

/// Shows downloads.
pub(crate) struct DownloadProgress {
    printer: &'static Printer,
    style: Style,
}

enum Style {
    /// One bar for all bytes.
    Bar(ProgressBar),
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
            Choice::Raw => Style::Raw {
                total_bytes,
                done_bytes: 0.into(),
            },
            Choice::On => Style::Bar(bar(printer, total_bytes)),
            Choice::Auto if printer.is_terminal() => Style::Bar(bar(printer, total_bytes)),
            Choice::Off | Choice::Auto => Style::Silent,
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
        if let Style::Bar(bar) = &self.style {
            bar.inc(resumed_bytes);
            bar.set_message(filename.to_string());
        }
        if resumed_bytes > 0 {
            let total = total_bytes.map(|total| format!("/{}", size(total)));
            let (here, total) = (size(resumed_bytes), total.unwrap_or_default());
            self.printer
                .narrate(&format!("  Resuming download {filename} ({here}{total})"));
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
            Style::Silent => {}
        }
    }

    fn finished(&self, _: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_as_pip_rounds_them() {
        for (bytes, text) in [
            (999, "999 bytes"),
            (1_000, "1000 bytes"),
            (1_001, "1.0 kB"),
            (9_960, "10.0 kB"),
            (10_999, "10 kB"),
            (1_000_000, "1000 kB"),
            (1_250_001, "1.3 MB"),
            (915_640_000, "915.6 MB"),
            (2_560_000_000, "2560.0 MB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
