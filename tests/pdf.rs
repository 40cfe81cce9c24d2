//! The PDF of each kind of paper, before foreign programs (qpdf, Poppler, a QR reader) and against golden pictures.
//!
//! `PHANTOMLOAD_GOLDEN=1 cargo test --test pdf` makes the pictures in `reports/golden/` anew; look at them.

#[path = "support/papers.rs"]
mod papers;
#[path = "support/simulated.rs"]
mod simulated;
#[path = "support/skip.rs"]
mod skip;

use papers::{amended, approved, draft, horrible, issued, paper, real, simulated as simulated_run};
use phantomload::certificate::issue::{Issue, Status};
use phantomload::certificate::paper::{Language, Paper};
use phantomload::certificate::pdf::{Attachment, Fault, Relationship, pdf};
use phantomload::certificate::record::Document;
use phantomload::certificate::record::Record;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// As long as the text of a real one (certificates.md §4.3).
static QR: LazyLock<String> = LazyLock::new(|| format!("EVV1:{}", "6BF9A:$%*+".repeat(32)));
const CSV: &[u8] = "\u{feff}schema_version,point_no\r\n1,1\r\n".as_bytes();

fn attachments() -> [Attachment<'static>; 3] {
    let file = |name, mime, bytes: &[u8], relationship, description| Attachment {
        name,
        mime,
        bytes: bytes.to_vec().into(),
        relationship,
        description,
    };
    [
        file("record.json", "application/json", b"{}", Relationship::Source, "原始记录 original record"),
        file("results.csv", "text/csv", CSV, Relationship::Data, "检定结果 results"),
        file(
            "certificate.dcc.xml",
            "application/xml",
            b"<dcc/>",
            Relationship::Alternative,
            "数字校准证书 digital calibration certificate",
        ),
    ]
}

/// A paper as a file.
struct Printed {
    name: &'static str,
    paper: Paper,
    language: Language,
    path: PathBuf,
    pages: usize,
}

impl Printed {
    /// Its text as Poppler finds it; of one page, or of all. Tokens are as they stand.
    fn text(&self, page: Option<usize>, how: &str) -> String {
        let (first, last) = page.map_or((1, self.pages), |page| (page, page));
        let (first, last) = (first.to_string(), last.to_string());
        let path = self.path.to_str().unwrap();
        let output = run("pdftotext", &["-enc", "UTF-8", how, "-f", &first, "-l", &last, path, "-"]);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same without white space.
    fn squashed(&self, page: Option<usize>) -> String {
        squash(&self.text(page, "-raw"))
    }
}

fn squash(text: &str) -> String {
    text.split_whitespace().collect()
}

fn run(tool: &str, arguments: &[&str]) -> Output {
    let output = Command::new(tool).args(arguments).output().unwrap_or_else(|e| panic!("{tool}: {e}"));
    assert!(output.status.success(), "{tool} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pdf");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn bytes(paper: &Paper, language: Language) -> Vec<u8> {
    pdf(paper, Some(&QR), &attachments(), language).unwrap()
}

/// One of each kind; made once.
static PRINTED: LazyLock<Vec<Printed>> = LazyLock::new(|| {
    let (pass, fail, report, sim) =
        (approved("good"), approved("bad-at-imin"), real("good"), simulated_run("bad-at-imin"));
    let long = horrible("good");
    let withdrawn = Issue { status: Status::Withdrawn, ..issued(&pass) };
    let kinds = [
        ("pass", paper(&pass, issued(&pass)), Language::Both),
        ("fail", paper(&fail, issued(&fail)), Language::Both),
        ("report", paper(&report, draft(&report)), Language::Both),
        ("simulated", paper(&sim, draft(&sim)), Language::Both),
        ("amended", paper(&pass, amended(&pass)), Language::Both),
        ("withdrawn", paper(&pass, withdrawn), Language::Both),
        ("english", paper(&pass, issued(&pass)), Language::English),
        ("chinese", paper(&fail, issued(&fail)), Language::Chinese),
        ("horrible", paper(&long, issued(&long)), Language::Both),
    ];
    let print = |(name, paper, language)| {
        let path = folder().join(format!("{name}.pdf"));
        fs::write(&path, bytes(&paper, language)).unwrap();
        let pages = if has_tools() { pages(&path) } else { 0 };
        Printed { name, paper, language, path, pages }
    };
    kinds.map(print).into()
});

fn pages(path: &Path) -> usize {
    let info = String::from_utf8(run("pdfinfo", &[path.to_str().unwrap()]).stdout).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("Pages:")).expect("pdfinfo counts pages");
    line.trim().parse().unwrap()
}

fn printed(name: &str) -> &'static Printed {
    PRINTED.iter().find(|printed| printed.name == name).unwrap()
}

/// Says loudly where the judges are not installed.
fn has_tools() -> bool {
    let tools = ["qpdf", "pdfinfo", "pdffonts", "pdftotext", "pdfdetach", "pdftoppm"];
    let lacking: Vec<_> =
        tools.iter().filter(|tool| Command::new(tool).arg("-v").output().is_err()).collect();
    if !lacking.is_empty() {
        skip::skipped(&format!(
            "{lacking:?} are not installed (Debian: qpdf poppler-utils): no PDF was judged"
        ));
    }
    lacking.is_empty()
}

#[test]
fn foreign_programs_find_a_sound_tagged_file_with_embedded_subsets() {
    if !has_tools() {
        return;
    }
    for printed in PRINTED.iter() {
        let path = printed.path.to_str().unwrap();
        run("qpdf", &["--check", path]);
        let info = String::from_utf8(run("pdfinfo", &[path]).stdout).unwrap();
        for line in ["Tagged:          yes", "Page size:       595.28 x 841.89 pts (A4)"] {
            assert!(info.contains(line), "{}: {info}", printed.name);
        }
        let title = info.lines().find(|line| line.starts_with("Title:")).unwrap();
        assert!(title.contains(&printed.paper.issue.certificate_no), "{title}");
        let fonts = String::from_utf8(run("pdffonts", &[path]).stdout).unwrap();
        let fonts: Vec<_> = fonts.lines().skip(2).collect();
        assert!(!fonts.is_empty());
        for font in fonts {
            // name, type, encoding; embedded, subset, unicode.
            let (name, flags) = (font.split_whitespace().next().unwrap(), "yes yes yes");
            assert!(font.contains(flags) && name.as_bytes()[6] == b'+', "{}: {font}", printed.name);
        }
    }
}

#[test]
fn every_printed_number_and_the_verdict_stand_in_the_text() {
    if !has_tools() {
        return;
    }
    for printed in PRINTED.iter() {
        let text = printed.text(None, "-layout");
        let tokens: std::collections::HashSet<&str> = text.split_whitespace().collect();
        for row in &printed.paper.rows {
            let numbers = [
                &row.nominal_voltage,
                &row.nominal_current,
                &row.voltage,
                &row.current,
                &row.reference_energy,
                &row.indicated_energy,
                &row.value,
                &row.rounded,
                &row.uncertainty,
                &row.k,
                &row.limit_words,
            ];
            // Where an item has no columns of its own for its load it stands as `825 V, 0 A`.
            for number in numbers.into_iter().filter(|number| !number.is_empty()) {
                // Printed with a minus sign, not with the hyphen of the files.
                let number =
                    number.strip_prefix('-').map_or(number.clone(), |rest| format!("\u{2212}{rest}"));
                assert!(tokens.contains(number.as_str()), "{} row {}: {number}", printed.name, row.no);
            }
        }
        let squashed = printed.squashed(None);
        for budget in &printed.paper.budgets {
            for line in &budget.lines {
                assert!(tokens.contains(line.u.as_str()), "{}: {line:?}", printed.name);
            }
            let stated = squash(&format!("U = {} {}, k = {}", budget.expanded, budget.unit, budget.k));
            assert!(squashed.contains(&stated), "{}: {stated}", printed.name);
        }
        let said = match printed.language {
            Language::Chinese => vec![&printed.paper.conclusion.zh],
            Language::English => vec![&printed.paper.conclusion.en],
            Language::Both => vec![&printed.paper.conclusion.zh, &printed.paper.conclusion.en],
        };
        let cover = printed.squashed(Some(1));
        for words in said {
            assert!(cover.contains(&squash(words)), "{}: {words} in {cover}", printed.name);
        }
    }
}

#[test]
fn every_page_has_the_number_and_says_which_of_how_many_it_is() {
    if !has_tools() {
        return;
    }
    for printed in PRINTED.iter() {
        for page in 1..=printed.pages {
            let text = printed.squashed(Some(page));
            let words = match printed.language {
                Language::English => format!("Page{page}of{}", printed.pages),
                _ => format!("第{page}页共{}页", printed.pages),
            };
            assert!(text.contains(&words), "{} page {page}: {text}", printed.name);
            assert!(text.contains(&printed.paper.issue.certificate_no));
        }
        let last = printed.squashed(Some(printed.pages));
        let end = if printed.language == Language::English { "Endofdocument" } else { "以下空白" };
        assert!(last.contains(end), "{}: {last}", printed.name);
        let all = printed.squashed(None);
        assert_eq!(all.matches(end).count(), 1, "{}", printed.name);
    }
}

#[test]
fn what_is_simulated_draft_or_withdrawn_says_so_on_each_page() {
    if !has_tools() {
        return;
    }
    for (name, words) in [
        ("simulated", "模拟：未检测任何真实电能表"),
        ("simulated", "SIMULATED:norealmeterwastested"),
        ("simulated", "DRAFT—notissued"),
        ("report", "草稿，未签发"),
        ("withdrawn", "已撤销"),
    ] {
        let printed = printed(name);
        for page in 1..=printed.pages {
            assert!(printed.squashed(Some(page)).contains(words), "{name} page {page} lacks {words}");
        }
    }
    for name in ["pass", "fail", "amended"] {
        let cover = printed(name).squashed(Some(1));
        assert!(!cover.contains("SIMULATED") && !cover.contains("DRAFT"), "{name}: {cover}");
    }
}

#[test]
fn only_a_certificate_has_a_last_day_and_only_another_paper_names_what_failed() {
    if !has_tools() {
        return;
    }
    for (name, document, title) in [
        ("pass", Document::VerificationCertificate, "检定证书"),
        ("fail", Document::ResultNotice, "检定结果通知书"),
        ("report", Document::TestReport, "检测报告"),
        ("simulated", Document::TestReport, "检测报告（模拟）"),
        ("amended", Document::VerificationCertificate, "检定证书（更改）"),
    ] {
        let printed = printed(name);
        assert_eq!(printed.paper.document, document, "{name}");
        let cover = printed.squashed(Some(1));
        assert!(cover.contains(title), "{name}: {cover}");
        assert_eq!(cover.contains("有效期至"), document == Document::VerificationCertificate, "{name}");
        if let Some(until) = printed.paper.valid_until {
            let until = format!("{}年{}月{}日", until.year(), until.month(), until.day());
            assert!(cover.contains(&until), "{name}: {until}");
        }
        for item in &printed.paper.not_passed {
            // The value with its unit, and the limit with its own.
            let value = item.value.replace('-', "\u{2212}");
            for said in [format!("{}: {value}", item.point), item.limit.clone(), item.reason.zh.clone()] {
                assert!(cover.contains(&squash(&said)), "{name}: {said} in {cover}");
            }
        }
        assert_eq!(cover.contains("不合格"), name == "fail" || name == "simulated", "{name}");
    }
    let text = printed("amended").squashed(None);
    let amends = printed("amended").paper.issue.amends.as_ref().unwrap();
    let corrected = amends.corrections.iter().flat_map(|correction| [&correction.from, &correction.to]);
    for said in [&amends.replaces, &amends.reason].into_iter().chain(corrected) {
        assert!(text.contains(&squash(said)), "{said}");
    }
}

#[test]
fn one_language_is_one_language() {
    if !has_tools() {
        return;
    }
    let english = printed("english").squashed(None);
    for words in ["结论", "误差", "页", "不确定度", "证书编号", "批准人", "依据"] {
        assert!(!english.contains(words), "{words}");
    }
    let chinese = printed("chinese").squashed(None);
    for words in ["Conclusion", "Certificate", "verified", "Annex", "verdict", "Page"] {
        assert!(!chinese.contains(words), "{words}");
    }
}

/// A record of a kind of run.
type Recorded = fn() -> Record;

/// Six words of Latin letters in a row are a sentence, unless names or the text of a person's entry say it.
fn sentence(text: &str) -> Option<String> {
    let mut run: Vec<&str> = vec![];
    for word in text.split_whitespace() {
        let letters = word.trim_matches([',', ';', ':', '.', '(', ')', '\'', '"']);
        if letters.len() > 1 && letters.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '\'') {
            run.push(word);
        } else {
            run.clear();
        }
        if run.len() >= 6 {
            return Some(run.join(" "));
        }
    }
    None
}

#[test]
fn a_chinese_paper_has_no_english_sentence() {
    if !has_tools() {
        return;
    }
    assert!(sentence("合格 the mean of all good readings was taken 合格").is_some());
    assert_eq!(sentence("Example Municipal Institute of 1 Metrology and more"), None);
    let folder = folder();
    let records: [(&str, Recorded); 4] = [
        ("zh-pass", || approved("good")),
        ("zh-fail", || approved("bad-at-imin")),
        ("zh-report", || real("good")),
        ("zh-simulated", || simulated_run("bad-at-imin")),
    ];
    for (name, record) in records {
        let record = record();
        let path = folder.join(format!("{name}.pdf"));
        fs::write(&path, bytes(&paper(&record, draft(&record)), Language::Chinese)).unwrap();
        let output = run("pdftotext", &["-enc", "UTF-8", "-layout", path.to_str().unwrap(), "-"]);
        let text = String::from_utf8(output.stdout).unwrap();
        // Names of the attachments are of their makers.
        // Cells of a table stand apart: a name beside a name is no sentence.
        let found: Vec<_> =
            text.lines().flat_map(|line| line.split("  ")).filter(|cell| sentence(cell).is_some()).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn a_test_report_does_not_speak_of_verification() {
    if !has_tools() {
        return;
    }
    let text = printed("report").squashed(None);
    for words in ["报告编号", "检测依据", "检测员", "检测日期"] {
        assert!(text.contains(words), "{words}");
    }
    for words in ["证书编号PL", "检定依据", "检定员", "检定日期", "CertificateNo.PL"] {
        assert!(!text.contains(words), "{words}");
    }
    let text = printed("pass").squashed(None);
    assert!(text.contains("证书编号") && text.contains("检定员") && !text.contains("检测员"));
}

#[test]
fn nothing_stands_outside_the_margins() {
    if !has_tools() {
        return;
    }
    for printed in PRINTED.iter() {
        let output = run("pdftotext", &["-bbox", printed.path.to_str().unwrap(), "-"]);
        // Poppler writes an emoji of the document's subject as two halves.
        let text = String::from_utf8_lossy(&output.stdout);
        let mut words = 0;
        for line in text.lines().filter(|line| line.trim_start().starts_with("<word")) {
            words += 1;
            let value = |name: &str| -> f64 {
                let rest = line.split_once(&format!("{name}=\"")).unwrap().1;
                rest.split_once('"').unwrap().0.parse().unwrap()
            };
            assert!(value("xMin") >= 47.0 && value("xMax") <= 595.28 - 47.0, "{}: {line}", printed.name);
            assert!(value("yMin") >= 20.0 && value("yMax") <= 841.89 - 20.0, "{}: {line}", printed.name);
        }
        assert!(words > 500, "{}: {words} words", printed.name);
    }
}

#[test]
fn a_name_of_any_form_stands_whole_and_what_the_font_lacks_is_said() {
    if !has_tools() {
        return;
    }
    let text = printed("horrible").squashed(None);
    let findings = ["x".repeat(3000), "长".repeat(1500)];
    let names = [
        "某某充电".repeat(50),
        "\"A&B\"<c>〓〓〓〓".into(),
        format!("=HYPERLINK(\"x\"){}", "W".repeat(200)),
        "-@+,;'`\\/|~^°§Ünïcödé".into(),
        "a-very-long-type/".repeat(11),
        "充".repeat(200),
        "connectorofmanywords".repeat(6),
    ];
    for name in names {
        assert!(text.contains(&name), "{name} in {text}");
    }
    // Long texts go on over the next page, where head and foot stand between.
    for finding in findings {
        let letter = finding.chars().next().unwrap();
        assert!(text.matches(letter).count() >= finding.chars().count(), "{letter}");
    }
    assert!(text.contains("〓：本文件字库没有的字符"), "{text}");
    for printed in PRINTED.iter().filter(|printed| printed.name != "horrible") {
        assert!(!printed.squashed(None).contains('〓'), "{}", printed.name);
    }
}

#[test]
fn the_attachments_come_out_byte_for_byte() {
    if !has_tools() {
        return;
    }
    let printed = printed("pass");
    let out = tempfile::tempdir().unwrap();
    run("pdfdetach", &["-saveall", "-o", out.path().to_str().unwrap(), printed.path.to_str().unwrap()]);
    let mut names: Vec<_> = fs::read_dir(out.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["certificate.dcc.xml", "record.json", "results.csv"]);
    for attachment in attachments() {
        assert_eq!(
            fs::read(out.path().join(attachment.name)).unwrap(),
            *attachment.bytes,
            "{}",
            attachment.name
        );
    }
    let bytes = fs::read(&printed.path).unwrap();
    for relationship in ["/AFRelationship/Source", "/AFRelationship/Data", "/AFRelationship/Alternative"] {
        assert!(bytes.windows(relationship.len()).any(|w| w == relationship.as_bytes()), "{relationship}");
    }
}

/// A page as grey dots: width, height, dots.
fn picture(path: &Path, page: usize, dpi: usize) -> (usize, usize, Vec<u8>) {
    let (page, dpi) = (page.to_string(), dpi.to_string());
    let output = run("pdftoppm", &["-gray", "-r", &dpi, "-f", &page, "-l", &page, path.to_str().unwrap()]);
    // P5, width, height, 255, dots.
    let mut head = output.stdout.splitn(4, u8::is_ascii_whitespace);
    assert_eq!(head.next().unwrap(), b"P5");
    let mut number = || std::str::from_utf8(head.next().unwrap()).unwrap().parse::<usize>().unwrap();
    let (width, height) = (number(), number());
    let dots = head.next().unwrap();
    let dots = dots.strip_prefix(b"255\n").unwrap().to_vec();
    assert_eq!(dots.len(), width * height);
    (width, height, dots)
}

#[test]
fn a_foreign_reader_reads_the_code_on_the_cover_even_under_the_mark() {
    if !has_tools() {
        return;
    }
    for name in ["pass", "simulated"] {
        let (width, height, dots) = picture(&printed(name).path, 1, 200);
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| dots[y * width + x]);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "{name}");
        assert_eq!(grids[0].decode().unwrap().1, *QR, "{name}");
        // From finder to finder, at 200 dots an inch: 30 mm at least.
        let [a, b, ..] = grids[0].bounds;
        let side = f64::from(b.x - a.x) / 200.0 * 25.4;
        assert!(side > 30.0, "{side} mm");
    }
}

fn read_png(path: &Path) -> (usize, usize, Vec<u8>) {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    // Sixteen shades: two dots a byte.
    assert_eq!((info.color_type, info.bit_depth), (png::ColorType::Grayscale, png::BitDepth::Four));
    let width = info.width as usize;
    let rows = dots[..info.buffer_size()].chunks(info.line_size);
    let dots = rows.flat_map(|row| {
        let pairs = row.iter().flat_map(|byte| [(byte >> 4) * 17, (byte & 15) * 17]);
        pairs.take(width).collect::<Vec<_>>()
    });
    (width, info.height as usize, dots.collect())
}

fn write_png(path: &Path, (width, height, dots): &(usize, usize, Vec<u8>)) {
    let file = fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(file, *width as u32, *height as u32);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_compression(png::Compression::High);
    let shade = |dot: u8| (u16::from(dot) + 8).min(255) as u8 / 17;
    let rows = dots.chunks(*width).flat_map(|row| {
        row.chunks(2)
            .map(|pair| shade(pair[0]) << 4 | pair.get(1).map_or(15, |dot| shade(*dot)))
            .collect::<Vec<_>>()
    });
    let rows: Vec<u8> = rows.collect();
    encoder.write_header().unwrap().write_image_data(&rows).unwrap();
}

#[test]
fn the_pages_look_as_they_were_approved() {
    if !has_tools() {
        return;
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/golden");
    let anew = std::env::var_os("PHANTOMLOAD_GOLDEN").is_some();
    for name in ["pass", "fail", "report", "simulated", "amended"] {
        let printed = printed(name);
        for page in 1..=printed.pages {
            let path = golden.join(format!("{name}-{page}.png"));
            let seen = picture(&printed.path, page, 55);
            if anew {
                fs::create_dir_all(&golden).unwrap();
                write_png(&path, &seen);
            }
            let wanted = read_png(&path);
            assert_eq!((seen.0, seen.1), (wanted.0, wanted.1), "{name} page {page}");
            // Another Poppler smooths edges differently; a line that moved changes many dots by much.
            let far = seen.2.iter().zip(&wanted.2).filter(|(a, b)| a.abs_diff(**b) > 96).count();
            let share = far as f64 / seen.2.len() as f64;
            assert!(share < 0.002, "{name} page {page}: {:.2} % of the dots differ", share * 100.0);
        }
    }
}

#[test]
fn the_same_paper_gives_the_same_bytes() {
    let record = approved("good");
    let paper = paper(&record, issued(&record));
    assert_eq!(bytes(&paper, Language::Both), bytes(&paper, Language::Both));
}

#[test]
fn what_cannot_be_printed_is_refused_in_words() {
    let record = approved("good");
    let paper = paper(&record, issued(&record));
    let [a, ..] = attachments();
    let twice = pdf(&paper, None, &[a.clone(), a.clone()], Language::Both).unwrap_err();
    assert!(matches!(twice, Fault::Twice { .. }) && twice.to_string().contains("record.json"), "{twice}");
    let mime = pdf(&paper, None, &[Attachment { mime: "csv", ..a.clone() }], Language::Both).unwrap_err();
    assert!(matches!(mime, Fault::Mime { .. }) && mime.to_string().contains("`csv`"), "{mime}");
    let long = pdf(&paper, Some(&"A".repeat(5000)), &[], Language::Both).unwrap_err();
    assert!(matches!(long, Fault::Matrix(_)) && long.to_string().contains("5000"), "{long}");
}
