//! `register.index`: finds rows of a register of a million papers. It is made from `register.csv`, holds nothing of its
//! own, and is thrown away and made again whenever it does not fit.
//!
//! It keeps the place of each row and the columns that lists ask for. Names stand once in a table of their own, so that a
//! part of a name is looked for among the names, not among the rows. What is shown or exported is read from the
//! register itself.

use super::reader::{Place, Rows};
use super::register::{self, RegisterRow};
use super::{Fault, disk};
use crate::certificate::csv::{register_header, verdict_word};
use crate::certificate::issue::Status;
use crate::verdict::Verdict;
use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

/// The form of the index; another one is made anew.
const VERSION: i64 = 3;
/// So much of the register's begin and of its last indexed part is compared.
const COMPARED: u64 = 64 * 1024;

const TABLES: &str = "
    CREATE TABLE state (version INTEGER, length INTEGER, modified INTEGER, head BLOB, tail BLOB, lines INTEGER);
    CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
    CREATE TABLE paper (n INTEGER PRIMARY KEY, offset INTEGER, length INTEGER, line INTEGER, latest INTEGER, verdict INTEGER,
        status INTEGER, day INTEGER, site INTEGER, verifier INTEGER, customer INTEGER);
    CREATE TABLE mark (n INTEGER PRIMARY KEY, certificate TEXT, serial TEXT, record TEXT);";
const DROP: &str = "DROP TABLE IF EXISTS state; DROP TABLE IF EXISTS name; DROP TABLE IF EXISTS paper; DROP TABLE IF EXISTS mark;";
/// Each has what else may be asked for in it, so that a row of the table is read only for what is shown. Those of verdict and
/// state alone are walked in the order of the rows, the newest first, until there are enough.
const INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS by_site ON paper (site, day, verdict, status, latest);
    CREATE INDEX IF NOT EXISTS by_customer ON paper (customer, day, verdict, status, latest);
    CREATE INDEX IF NOT EXISTS by_verifier ON paper (verifier, day, verdict, status, latest);
    CREATE INDEX IF NOT EXISTS by_day ON paper (day, verdict, status, latest);
    CREATE INDEX IF NOT EXISTS by_both ON paper (verdict, status);
    CREATE INDEX IF NOT EXISTS by_verdict ON paper (verdict);
    CREATE INDEX IF NOT EXISTS by_status ON paper (status);
    CREATE INDEX IF NOT EXISTS by_serial ON mark (serial);
    CREATE INDEX IF NOT EXISTS by_certificate ON mark (certificate);
    CREATE INDEX IF NOT EXISTS by_record ON mark (record);";

/// Which rows are wanted. What is not given is not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this day of the verification.
    pub from: Option<Date>,
    /// Until this day, inclusive.
    pub to: Option<Date>,
    /// This verdict.
    pub verdict: Option<Verdict>,
    /// This state.
    pub status: Option<Status>,
    /// A part of the site's name.
    pub site: Option<String>,
    /// A part of the verifier's name.
    pub operator: Option<String>,
    /// A part of the customer's name.
    pub customer: Option<String>,
    /// The begin of the meter's serial number.
    pub serial: Option<String>,
    /// Every row, not only the last of each paper.
    pub all_states: bool,
}

/// The index beside a register.
pub struct Index {
    register: PathBuf,
    connection: Connection,
    /// Header and byte-order mark end here.
    begin: u64,
}

/// A list of rows, by their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found(Vec<Place>);

impl Found {
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// How far the register is known.
struct Known {
    length: u64,
    lines: u64,
}

impl Index {
    /// Opens the index of a data folder and brings it up to the register. A folder that cannot be written gets one in memory.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        let path = dir.join("register.index");
        let opened = Self::at(dir, &path);
        let useless = match &opened {
            Ok(_) | Err(Fault::Row { .. } | Fault::Read { .. }) => return opened,
            Err(fault) => fault.to_string(),
        };
        // It is only a copy: whatever is wrong with it, it is made anew, and in memory where that does not go either.
        if fs::remove_file(&path).is_ok()
            && let Ok(index) = Self::at(dir, &path)
        {
            return Ok(index);
        }
        Self::at(dir, Path::new(":memory:")).map_err(|fault| match fault {
            Fault::Index { path, what } => Fault::Index { path, what: format!("{what} ({useless})") },
            other => other,
        })
    }

    fn at(dir: &Path, path: &Path) -> Result<Self, Fault> {
        let fault = |e: rusqlite::Error| Fault::Index { path: path.to_owned(), what: e.to_string() };
        let connection = Connection::open(path).map_err(fault)?;
        // Derived data: speed before safety, and another instance may be bringing it up to date.
        connection.busy_timeout(Duration::from_secs(20)).map_err(fault)?;
        connection.pragma_update(None, "synchronous", "OFF").map_err(fault)?;
        connection.pragma_update(None, "cache_size", -64_000).map_err(fault)?;
        let begin = register_header()?.len() as u64;
        let mut index = Self { register: dir.join("register.csv"), connection, begin };
        index.update().map_err(|fault| match fault {
            Fault::Index { what, .. } => Fault::Index { path: path.to_owned(), what },
            other => other,
        })?;
        Ok(index)
    }

    /// Takes in what was appended, or everything.
    fn update(&mut self) -> Result<(), Fault> {
        if let Some((mut file, length, modified)) = open_register(&self.register)?
            && let Some(known) = known(&self.connection, &self.register, &mut file, length, modified)?
            && known.length == length
        {
            return Ok(());
        }
        let transaction =
            sql(self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive))?;
        // Looked at anew: another process may have taken in the same rows while this one waited for its turn.
        let Some((mut file, length, modified)) = open_register(&self.register)? else {
            sql(transaction.execute_batch(&format!("{DROP}{TABLES}{INDEXES}")))?;
            return sql(transaction.commit());
        };
        let known = known(&transaction, &self.register, &mut file, length, modified)?;
        if known.as_ref().is_some_and(|known| known.length == length) {
            return Ok(());
        }
        let is_new = known.is_none();
        let known = if let Some(known) = known {
            known
        } else {
            sql(transaction.execute_batch(&format!("{DROP}{TABLES}")))?;
            let mut head = vec![0; usize::try_from(self.begin.min(length)).unwrap_or(0)];
            read(&self.register, &mut file, 0, &mut head)?;
            register::headed(&self.register, &head)?;
            Known { length: self.begin, lines: 1 }
        };
        let end = take_in(&transaction, &self.register, &mut file, &known, is_new)?;
        if is_new {
            sql(transaction.execute_batch(INDEXES))?;
            sql(transaction.execute_batch(
                "UPDATE paper SET latest = 0 WHERE n IN (SELECT older.n FROM mark AS older JOIN mark AS newer \
                 ON newer.certificate = older.certificate AND newer.n > older.n);",
            ))?;
        }
        let (head, tail) = prints(&self.register, &mut file, end.length)?;
        sql(transaction.execute("DELETE FROM state", []))?;
        sql(transaction.execute(
            "INSERT INTO state VALUES (?, ?, ?, ?, ?, ?)",
            params![VERSION, end.length.cast_signed(), modified, head, tail, end.lines.cast_signed()],
        ))?;
        sql(transaction.commit())
    }

    /// The row of a record's first paper, read from the register itself; none where it is not there.
    pub(super) fn of_record(&self, record_no: &str) -> Result<Option<RegisterRow>, Fault> {
        let place = sql(self
            .connection
            .query_row(
                "SELECT offset, length, line FROM paper WHERE n = (SELECT min(n) FROM mark WHERE record = ?)",
                [record_no],
                place,
            )
            .optional())?;
        let row = self.read(place.as_slice()).next().transpose()?;
        Ok(row.filter(|row| row.get("record_no") == record_no))
    }

    /// The places of the rows that are wanted; the newest first, or in the register's order.
    pub(super) fn places(
        &self,
        filter: &Filter,
        limit: Option<usize>,
        newest_first: bool,
    ) -> Result<Vec<Place>, Fault> {
        let (mut conditions, mut values) = (vec!["1".to_owned()], Vec::<Value>::new());
        let mut ask = |condition: &str, value: Option<Value>| {
            let is_asked = value.is_some();
            conditions.extend(is_asked.then(|| condition.to_owned()));
            values.extend(value);
            is_asked
        };
        // The plan is ours: the column that leaves the fewest rows leads.
        let mut lead = None;
        let by_verdict =
            ask("verdict = ?", filter.verdict.map(|verdict| place_of(VERDICTS.into_iter(), &verdict).into()));
        let by_status =
            ask("status = ?", filter.status.map(|status| place_of(STATES.into_iter(), &status).into()));
        match (by_verdict, by_status) {
            (true, true) => lead = Some("by_both"),
            (true, false) => lead = Some("by_verdict"),
            (false, true) => lead = Some("by_status"),
            (false, false) => {}
        }
        let from = ask("day >= ?", filter.from.map(|day| day_number(&day.to_string()).into()));
        let to = ask("day <= ?", filter.to.map(|day| day_number(&day.to_string()).into()));
        if from || to {
            lead = Some("by_day");
        }
        let names = [
            ("verifier", "by_verifier", &filter.operator),
            ("customer", "by_customer", &filter.customer),
            ("site", "by_site", &filter.site),
        ];
        for (column, index, part) in names {
            let inside = format!("{column} IN (SELECT id FROM name WHERE text LIKE ? ESCAPE '\\')");
            if ask(&inside, part.as_ref().map(|part| format!("%{}%", escaped(part)).into())) {
                lead = Some(index);
            }
        }
        if let Some(begin) = &filter.serial {
            // The last letter of all begins no serial number.
            conditions.push("n IN (SELECT n FROM mark WHERE serial >= ? AND serial < ?)".to_owned());
            values.extend([begin.clone().into(), format!("{begin}\u{10FFFF}").into()]);
            lead = None;
        }
        if !filter.all_states {
            conditions.push("latest = 1".into());
        }
        let lead = lead.map_or(String::new(), |index| format!("INDEXED BY {index}"));
        let order = if newest_first { "DESC" } else { "ASC" };
        let limit = limit.map_or(-1, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let text = format!(
            "SELECT offset, length, line FROM paper WHERE n IN (SELECT n FROM paper {lead} WHERE {} ORDER BY n {order} \
             LIMIT {limit}) ORDER BY n {order}",
            conditions.join(" AND ")
        );
        let mut statement = sql(self.connection.prepare(&text))?;
        let rows = sql(statement.query_map(params_from_iter(values), place))?;
        sql(rows.collect())
    }

    /// The rows that are wanted, the newest first.
    pub fn rows(&self, filter: &Filter, limit: Option<usize>) -> Result<Vec<RegisterRow>, Fault> {
        self.read(&self.places(filter, limit, true)?).collect()
    }

    /// The newest row of exactly this serial number.
    pub fn last_of_serial(&self, serial: &str) -> Result<Option<RegisterRow>, Fault> {
        let place = sql(self
            .connection
            .query_row(
                "SELECT offset, length, line FROM paper WHERE latest = 1 AND n IN (SELECT n FROM mark WHERE serial = ?) \
                 ORDER BY n DESC LIMIT 1",
                [serial],
                place,
            )
            .optional())?;
        self.read(place.as_slice()).next().transpose()
    }

    /// The newest row of which this is true. The register is read from its end until it is found.
    pub fn last_where(
        &self,
        mut is_it: impl FnMut(&RegisterRow) -> bool,
    ) -> Result<Option<RegisterRow>, Fault> {
        let places = self.places(&Filter::default(), None, true)?;
        let mut rows = self.read(&places);
        rows.find(|row| row.as_ref().map_or(true, &mut is_it)).transpose()
    }

    /// The places of all rows that are wanted, the newest first, so that a list of a million can be scrolled: what is seen of
    /// it is read by [`Index::window`].
    pub fn found(&self, filter: &Filter) -> Result<Found, Fault> {
        Ok(Found(self.places(filter, None, true)?))
    }

    /// The rows of a list from one on, so many at most.
    pub fn window(&self, found: &Found, from: usize, count: usize) -> Result<Vec<RegisterRow>, Fault> {
        let to = from.saturating_add(count).min(found.0.len());
        self.read(found.0.get(from.min(to)..to).unwrap_or_default()).collect()
    }

    /// Tells each row that is wanted, the newest first, one at a time: a million need not fit the memory.
    pub fn each(&self, filter: &Filter, mut take: impl FnMut(&RegisterRow)) -> Result<(), Fault> {
        let places = self.places(filter, None, true)?;
        self.read(&places).try_for_each(|row| row.map(|row| take(&row)))
    }

    fn read(&self, places: &[Place]) -> impl Iterator<Item = Result<RegisterRow, Fault>> {
        let mut opened = open_register(&self.register);
        places.iter().map_while(move |place| {
            let file = match &mut opened {
                Ok(Some((file, ..))) => file,
                Ok(None) => return None,
                Err(_) => {
                    return std::mem::replace(&mut opened, Ok(None)).err().map(Err);
                }
            };
            let mut bytes = vec![0; usize::try_from(place.length).unwrap_or(0)];
            let read = read(&self.register, file, place.offset, &mut bytes);
            Some(read.and_then(|()| register::row(&self.register, place.line, &bytes)))
        })
    }

    /// The register that it is made from.
    pub(super) fn register(&self) -> &Path {
        &self.register
    }
}

/// The register with its length and when it was last written; none where it has nothing.
fn open_register(path: &Path) -> Result<Option<(File, u64, i64)>, Fault> {
    let fault = |e: std::io::Error| Fault::read(path, &e);
    let file = match disk::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fault(e)),
    };
    let about = file.metadata().map_err(fault)?;
    let since = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified = since.map_or(0, |since| since.as_nanos() as i64);
    Ok((about.len() > 0).then_some((file, about.len(), modified)))
}

/// How far the index goes; none where it does not fit the register.
fn known(
    connection: &Connection,
    register: &Path,
    file: &mut File,
    length: u64,
    modified: i64,
) -> Result<Option<Known>, Fault> {
    let state =
        connection.query_row("SELECT version, length, modified, head, tail, lines FROM state", [], |row| {
            let prints: (Vec<u8>, Vec<u8>) = (row.get(3)?, row.get(4)?);
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, i64>(1)?,
                row.get::<_, i64>(2)?,
                prints,
                row.get::<_, i64>(5)?,
            ))
        });
    let Ok((VERSION, known, then, (head, tail), lines)) = state else { return Ok(None) };
    let known = known.cast_unsigned();
    // As long as before and yet written since: somebody has edited it.
    if known > length || (known == length && then != modified) {
        return Ok(None);
    }
    let fits = prints(register, file, known)? == (head, tail);
    Ok(fits.then_some(Known { length: known, lines: lines.cast_unsigned() }))
}

/// Offset, length and line of a row of the index.
fn place(row: &rusqlite::Row) -> rusqlite::Result<Place> {
    let number = |n| row.get::<_, i64>(n).map(i64::cast_unsigned);
    Ok(Place { offset: number(0)?, length: number(1)?, line: number(2)? })
}

/// The index has the place of a verdict in this list, and of a state in the next one.
const VERDICTS: [Verdict; 3] = [Verdict::Pass, Verdict::Fail, Verdict::Undecided];
const STATES: [Status; 5] =
    [Status::Draft, Status::Checked, Status::Issued, Status::Amended, Status::Withdrawn];

/// The number of a verdict or state; none for what is not in its list.
fn place_of<T: PartialEq>(mut list: impl Iterator<Item = T>, one: &T) -> Option<i64> {
    i64::try_from(list.position(|other| other == *one)?).ok()
}

/// 20261120 for a day or hour that begins with 2026-11-20.
fn day_number(text: &str) -> i64 {
    let digits = text.bytes().take(10).filter(u8::is_ascii_digit);
    digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
}

/// Takes in the rows from where it is known. The rows must be whole and of our form.
fn take_in(
    connection: &Connection,
    path: &Path,
    file: &mut File,
    from: &Known,
    is_new: bool,
) -> Result<Known, Fault> {
    file.seek(SeekFrom::Start(from.length)).map_err(|e| Fault::read(path, &e))?;
    let mut paper = sql(connection.prepare("INSERT INTO paper VALUES (NULL, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?)"))?;
    let mut mark = sql(connection.prepare("INSERT INTO mark VALUES (?, ?, ?, ?)"))?;
    let states = STATES.map(|state| state.to_string());
    let mut older = sql(connection.prepare(
        "UPDATE paper SET latest = 0 WHERE latest = 1 AND n IN (SELECT n FROM mark WHERE certificate = ?)",
    ))?;
    let mut names = Names::new(connection)?;
    let mut rows = Rows::new(file, from.length, from.lines + 1);
    while let Some((place, bytes)) = rows.next(path)? {
        let row = register::row(path, place.line, bytes)?;
        let certificate = row.get("certificate_no");
        if !is_new {
            sql(older.execute([certificate]))?;
        }
        sql(paper.execute(params![
            place.offset.cast_signed(),
            place.length.cast_signed(),
            place.line.cast_signed(),
            place_of(VERDICTS.iter().map(|verdict| verdict_word(*verdict)), &row.get("verdict")),
            place_of(states.iter().map(String::as_str), &row.get("status")),
            day_number(row.get("performed_from")),
            names.id(row.get("site"))?,
            names.id(row.get("verifier"))?,
            names.id(row.get("customer"))?,
        ]))?;
        sql(mark.execute(params![
            connection.last_insert_rowid(),
            certificate,
            row.get("dut_serial"),
            row.get("record_no")
        ]))?;
    }
    let (length, line) = rows.end();
    Ok(Known { length, lines: line - 1 })
}

/// The numbers of names: those of last time are remembered.
struct Names<'a> {
    find: rusqlite::Statement<'a>,
    add: rusqlite::Statement<'a>,
    recent: std::collections::HashMap<String, i64>,
    connection: &'a Connection,
}

impl<'a> Names<'a> {
    fn new(connection: &'a Connection) -> Result<Self, Fault> {
        let find = sql(connection.prepare("SELECT id FROM name WHERE text = ?"))?;
        let add = sql(connection.prepare("INSERT INTO name (text) VALUES (?)"))?;
        Ok(Self { find, add, recent: std::collections::HashMap::new(), connection })
    }

    fn id(&mut self, name: &str) -> Result<i64, Fault> {
        if let Some(id) = self.recent.get(name) {
            return Ok(*id);
        }
        let known: Option<i64> = sql(self.find.query_row([name], |row| row.get(0)).optional())?;
        let id = if let Some(id) = known {
            id
        } else {
            sql(self.add.execute([name]))?;
            self.connection.last_insert_rowid()
        };
        // Bounded: each row may have a site of its own.
        if self.recent.len() >= 10_000 {
            self.recent.clear();
        }
        self.recent.insert(name.to_owned(), id);
        Ok(id)
    }
}

/// SHA-256 of the register's begin and of the last part before `length`.
fn prints(path: &Path, file: &mut File, length: u64) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let mut print = |from: u64| {
        let mut bytes = vec![0; usize::try_from((length - from).min(COMPARED)).unwrap_or(0)];
        read(path, file, from, &mut bytes)?;
        Ok::<_, Fault>(Sha256::digest(&bytes).to_vec())
    };
    Ok((print(0)?, print(length.saturating_sub(COMPARED))?))
}

fn read(path: &Path, file: &mut File, at: u64, bytes: &mut [u8]) -> Result<(), Fault> {
    file.seek(SeekFrom::Start(at)).and_then(|_| file.read_exact(bytes)).map_err(|e| Fault::read(path, &e))
}

fn escaped(part: &str) -> String {
    part.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

fn sql<T>(done: rusqlite::Result<T>) -> Result<T, Fault> {
    done.map_err(|e| Fault::Index { path: PathBuf::from("register.index"), what: e.to_string() })
}
