//! Feeds a file of reference cases to the product's own code, prints one line per difference and a count, and writes the
//! answers: `cargo run -q -p continuo-testkit --example cases -- threading FILE [--out ANSWERS]`. Ends with 1 when there is
//! a difference, with 2 when it was asked for what it cannot do.

use std::process::ExitCode;

const USAGE: &str = "usage: cases threading FILE [--out ANSWERS]";

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (file, out) = match words.as_slice() {
        ["threading", file] => (*file, None),
        ["threading", file, "--out", out] | ["threading", "--out", out, file] => (*file, Some(*out)),
        ["sla" | "metrics" | "routing", ..] => {
            eprintln!("{} is not built yet", words[0]);
            return ExitCode::from(2);
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match run(file, out).await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

async fn run(file: &str, out: Option<&str>) -> Result<usize, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    let report = testkit::cases::threading(&text, testkit::desk::story_engine()).await?;
    for difference in &report.differences {
        println!("{difference}");
    }
    if let Some(out) = out {
        std::fs::write(out, report.lines()).map_err(|error| format!("{out}: {error}"))?;
    }
    println!("{} cases, {} differences", report.answers.len(), report.differences.len());
    Ok(report.differences.len())
}
