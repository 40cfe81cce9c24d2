//! `phantomload certificate label`

use super::{Data, Ended, Stop, print_text, replay, say};
use phantomload::archive;
use phantomload::bench::description;
use phantomload::certificate::package;
use phantomload::certificate::paper::Paper;
use phantomload::panel::label::{DPI, Size, label};
use phantomload::panel::printer::tspl;
use phantomload::time::Stamp;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Arguments {
    /// Number of the issued certificate
    #[arg(value_name = "NUMBER")]
    number: String,
    /// Width x height in mm
    #[arg(long, value_name = "WxH", default_value_t = Size::default())]
    size: Size,
    /// Dots an inch of the printer
    #[arg(long, value_name = "N", default_value_t = DPI)]
    dpi: u32,
    /// Where the picture goes [default: `NUMBER_label.png`, or .tspl]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The printer's language (TSPL) in place of PNG: for `cat FILE > /dev/usb/lp0` and the like
    #[arg(long)]
    tspl: bool,
    #[command(flatten)]
    data: Data,
}

/// Draws the label of a certificate.
pub fn run(arguments: &Arguments) -> Ended {
    let Arguments { number, size, dpi, .. } = arguments;
    let dir = arguments.data.dir()?;
    let standing = archive::standing(&dir, number).map_err(Stop::input)?;
    let wrong = |what: &str| Stop::input(format!("{number}: {what}"));
    let folder = standing.package.clone().ok_or_else(|| wrong("its package is not in the data folder"))?;
    let mut issue = archive::issue_of(&standing)
        .ok_or_else(|| wrong("its package was altered or is not whole; take it from a backup"))?;
    // The package says how it was when it was issued; the chain says how it is.
    issue.status = standing.status;
    let record = replay::load(&folder.to_string_lossy(), &arguments.data)?;
    let paper = Paper::new(&record, issue).map_err(Stop::input)?;
    let today = Stamp::now().date();
    if let Some(until) = paper.valid_until.filter(|until| *until < today) {
        return Err(wrong(&format!("no label: its validity ended on {until}")));
    }
    let path = folder.join(package::QR);
    let qr_text = description::read(&path).map_err(|e| {
        let what = "without the signed text of its QR code there is no label";
        Stop::input(format!("{}: {e}; {what}. Papers made without a key have none", path.display()))
    })?;
    let label = label(&paper, qr_text.trim_end_matches('\n'), *size, *dpi).map_err(Stop::input)?;
    let (bytes, end) =
        if arguments.tspl { (tspl(&label.bitmap, *size), "tspl") } else { (label.bitmap.png(), "png") };
    let out = arguments.out.clone().unwrap_or_else(|| PathBuf::from(format!("{number}_label.{end}")));
    archive::write_whole(&out, &bytes).map_err(Stop::fault)?;
    if !label.missing.is_empty() {
        let letters: String = label.missing.iter().collect();
        say(&format!("phantomload: the font has no {letters}; 〓 stands in their place"));
    }
    let (width, height) = (label.bitmap.width(), label.bitmap.height());
    print_text(&format!("{} ({size} mm, {width} × {height} dots)\n", out.display()))?;
    Ok(0)
}
