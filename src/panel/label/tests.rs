//! Labels of every kind, read back by a foreign reader and held against the golden pictures.

use super::*;
use crate::certificate::issue::{Amendment, Issue, Laboratory, Link, Signature};
use crate::certificate::record::Record;
use crate::certificate::sample;

/// As long as the signed claims of a label are, in base45: 297 bytes (certificates.md §4.3 has 213 without our own).
const CLAIMS: usize = 451;

fn qr_text(characters: usize) -> String {
    "EVV1:".chars().chain("6BF9A:$%*+-./ Z0K8QW".chars().cycle()).take(characters).collect()
}

fn issued(record: &Record) -> Paper {
    let laboratory = Laboratory { name_zh: "某某市计量测试研究院".into(), ..Laboratory::default() };
    let signatures = Role::ALL.iter().zip(["李工", "王强", "张敏"]).zip(7..);
    let issue = Issue {
        laboratory,
        status: Status::Issued,
        certificate_no: record.certificate_no.clone().unwrap(),
        signatures: signatures
            .map(|((role, person), seq)| Signature {
                role: *role,
                person: person.into(),
                at: record.started,
                seq,
            })
            .collect(),
        issued_at: Some(record.started),
        amends: None,
        link: Link { device: "PL-TESTER-0007".into(), seq: 10, prev: "0".repeat(64) },
        seal: None,
    };
    Paper::new(record, issue).unwrap()
}

fn passed() -> Paper {
    let mut paper = issued(&sample::numbered(sample::approved(0.3), "PL-R-2026-000123", "PL-2026-000123"));
    paper.meter.serial = "202611210001".into();
    paper.meter.connector = "A 枪".into();
    paper
}

fn simulated() -> Paper {
    let mut paper = issued(&sample::numbered(sample::completed(0.3), "SIM-R-2026-000001", "SIM-2026-000001"));
    paper.meter.connector = "1".into();
    paper
}

/// What a foreign reader sees on the label.
fn read(bitmap: &Bitmap) -> String {
    let (width, height) = (bitmap.width() as usize, bitmap.height() as usize);
    let grey = |x: usize, y: usize| if bitmap.is_ink(x as u32, y as u32) { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code is found");
    grids[0].decode().expect("it is read").1
}

/// Compares with the picture in `reports/golden`, or makes it anew.
fn golden(name: &str, bitmap: &Bitmap) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/golden");
    let path = folder.join(format!("label-{name}.png"));
    if std::env::var_os("PHANTOMLOAD_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, bitmap.png()).unwrap();
    }
    let kept = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut reader = png::Decoder::new(std::io::Cursor::new(&kept)).read_info().unwrap();
    let mut rows = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rows).unwrap();
    assert_eq!((info.width, info.height), (bitmap.width(), bitmap.height()), "{name}");
    let different = (0..info.height)
        .flat_map(|y| (0..info.width).map(move |x| (x, y)))
        .filter(|(x, y)| {
            let byte = rows[*y as usize * info.line_size + *x as usize / 8];
            (byte & (0x80 >> (x % 8)) == 0) != bitmap.is_ink(*x, *y)
        })
        .count();
    assert_eq!(
        different, 0,
        "{name}: dots differ from the golden label; look at both, then run the tests once with PHANTOMLOAD_WRITE_GOLDEN=1"
    );
}

fn size(text: &str) -> Size {
    text.parse().unwrap()
}

#[test]
fn a_passed_certificate_gets_its_label_in_every_size() {
    let text = qr_text(CLAIMS);
    for (sides, dpi, correction, dots) in [
        ("40x30", 203, Correction::Low, 3),
        ("50x30", 203, Correction::Medium, 3),
        ("60x40", 203, Correction::Medium, 4),
        ("40x30", 300, Correction::Low, 4),
    ] {
        let label = label(&passed(), &text, size(sides), dpi).unwrap();
        assert_eq!((label.correction, label.module_dots), (correction, dots), "{sides} {dpi}");
        assert!(label.missing.is_empty());
        assert_eq!(read(&label.bitmap), text);
        golden(&format!("{sides}-{dpi}"), &label.bitmap);
    }
}

#[test]
fn the_default_is_320_by_240_dots() {
    let label = label(&passed(), &qr_text(CLAIMS), Size::default(), DPI).unwrap();
    assert_eq!((label.bitmap.width(), label.bitmap.height()), (320, 240));
}

#[test]
fn a_simulated_run_gets_a_label_that_cannot_be_taken_for_a_legal_one() {
    let paper = simulated();
    assert!(paper.simulated && paper.document == Document::TestReport);
    let text = qr_text(CLAIMS);
    for sides in ["40x30", "60x40"] {
        let label = label(&paper, &text, size(sides), DPI).unwrap();
        assert_eq!(read(&label.bitmap), text);
        golden(&format!("simulated-{sides}"), &label.bitmap);
    }
    let draft = Draft::new(&paper, Size::default(), DPI);
    assert!(!draft.head.contains("合格") && draft.fields.iter().all(|f| !f.name.contains("检定日期")));
    assert!(draft.fields.iter().all(|field| field.name != "有效期至"));
}

#[test]
fn long_names_are_broken_and_shrunk_before_they_are_refused() {
    let mut paper = passed();
    paper.meter.serial = "SN-0123456789-ABCDEF-42".into();
    paper.meter.connector = "GB/T 2".into();
    paper.issue.laboratory.name_zh = "某某省电动汽车充电设施计量检定站".into();
    paper.issue.signatures[0].person = "欧阳⚡".into();
    let drawn = label(&paper, &qr_text(CLAIMS), Size::default(), DPI).unwrap();
    assert_eq!(drawn.missing, ['⚡']);
    golden("long-40x30", &drawn.bitmap);
    paper.meter.serial = "0123456789".repeat(20);
    let fault = label(&paper, &qr_text(CLAIMS), Size::default(), DPI).unwrap_err();
    assert!(matches!(&fault, Fault::Text { text, .. } if *text == paper.meter.serial), "{fault}");
}

#[test]
fn nothing_is_drawn_into_the_quiet_zone_or_the_margin() {
    let mut paper = passed();
    paper.meter.serial = "WWWWWWWWWWWWWW".into();
    for paper in [paper, passed(), simulated()] {
        for (sides, dpi) in [("40x30", 203), ("50x30", 203), ("60x40", 203), ("100x60", 300)] {
            let (size, text) = (size(sides), qr_text(CLAIMS));
            let code = Draft::new(&paper, size, dpi).code(&text).unwrap();
            let bitmap = label(&paper, &text, size, dpi).unwrap().bitmap;
            let (side, quiet) = (Code::side(&code.matrix, code.dots), QUIET_ZONE as u32 * code.dots);
            for y in 0..bitmap.height() {
                for x in 0..bitmap.width() {
                    let inside = |from: u32, at: u32| at >= from && at < from + side;
                    let (in_x, in_y) = (inside(code.at.0, x), inside(code.at.1, y));
                    let module = |from: u32, at: u32| at >= from + quiet && at < from + side - quiet;
                    if in_x && in_y && !(module(code.at.0, x) && module(code.at.1, y)) {
                        assert!(!bitmap.is_ink(x, y), "quiet zone of {sides} at {x}, {y}");
                    }
                }
                assert!((0..3).all(|x| !bitmap.is_ink(x, y)), "left margin of {sides} at {y}");
            }
            assert!(
                (0..bitmap.width()).all(|x| !bitmap.is_ink(x, 1) && !bitmap.is_ink(x, bitmap.height() - 2))
            );
        }
    }
}

#[test]
fn what_did_not_pass_or_is_not_in_force_gets_no_label() {
    let refused = |paper: &Paper, why: &str| match label(paper, &qr_text(300), Size::default(), DPI) {
        Err(Fault::Not { why: seen, .. }) => assert!(seen.contains(why), "{seen}"),
        other => panic!("{why}: {other:?}"),
    };
    refused(&issued(&sample::approved(2.0)), "failed");
    refused(&issued(&sample::completed(2.0)), "failed");
    refused(&issued(&sample::real(0.3)), "test report");
    let with = |status: Status| {
        let mut paper = passed();
        paper.issue.status = status;
        paper
    };
    refused(&with(Status::Draft), "not issued");
    refused(&with(Status::Checked), "not issued");
    refused(&with(Status::Amended), "replaced");
    refused(&with(Status::Withdrawn), "withdrawn");
    let mut withdrawn = simulated();
    withdrawn.issue.status = Status::Withdrawn;
    refused(&withdrawn, "withdrawn");
    let mut endless = passed();
    endless.valid_until = None;
    refused(&endless, "until when");
    let mut undecided = passed();
    undecided.verdict = Verdict::Undecided;
    refused(&undecided, "decided");
    // What replaces an earlier one is in force itself.
    let mut replacing = passed();
    let corrections = vec![];
    replacing.issue.amends =
        Some(Amendment { replaces: "PL-2026-000100".into(), reason: "name".into(), corrections });
    assert!(label(&replacing, &qr_text(300), Size::default(), DPI).is_ok());
}

#[test]
fn a_code_that_nobody_could_read_is_refused_with_words() {
    let fault = label(&passed(), &qr_text(CLAIMS), size("30x20"), DPI).unwrap_err();
    assert!(matches!(fault, Fault::Code { .. }), "{fault}");
    assert!(fault.to_string().contains("30x20 mm at 203 dpi"), "{fault}");
    // 40 × 30 mm hold 535 characters (65 × 65 modules), 50 × 30 mm more.
    assert!(label(&passed(), &qr_text(535), Size::default(), DPI).is_ok());
    assert!(label(&passed(), &qr_text(536), Size::default(), DPI).is_err());
    assert!(label(&passed(), &qr_text(536), size("50x30"), DPI).is_ok());
    assert_eq!(label(&passed(), &qr_text(300), Size::default(), 72), Err(Fault::Resolution { dpi: 72 }));
    for wrong in ["40", "40x", "x30", "0x30", "40x1000", "40.5x30"] {
        assert!(wrong.parse::<Size>().is_err(), "{wrong}");
    }
    assert_eq!(size("50x30").to_string(), "50x30");
}

#[test]
fn a_long_code_takes_the_height_and_leaves_a_narrow_column() {
    let text = qr_text(530);
    let drawn = label(&passed(), &text, Size::default(), DPI).unwrap();
    assert_eq!((drawn.module_dots, read(&drawn.bitmap)), (3, text));
    golden("long-code-40x30", &drawn.bitmap);
}
