//! The log, off by default.

use folio::diag::Diagnostic;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::output::print_report;

/// Starts logging to standard error: the stages with `-v`, every file and request with `-vv`, or
/// what `FOLIO_LOG` selects, such as `folio::session=trace`. Without either, nothing is logged, and
/// the log costs nothing.
pub fn start_logging(verbose: u8, filter: Option<&str>) {
    let level = match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let targets = match filter.map(str::parse::<Targets>) {
        Some(Ok(targets)) => targets,
        Some(Err(e)) => {
            print_report(&Diagnostic::warning(format!("FOLIO_LOG is ignored: {e}")).into());
            Targets::new().with_target("folio", level)
        }
        None => Targets::new().with_target("folio", level),
    };
    if filter.is_none() && verbose == 0 {
        return;
    }
    let format = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .without_time();
    tracing_subscriber::registry().with(format).with(targets).init();
}
