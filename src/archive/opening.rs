//! Opening a data folder for writing: the lock, and what a crash or a power failure has left is cleared up.

use super::chain::{self, Chain};
use super::keys::{Folder, Keys, random};
use super::known;
use super::register::{self, Register};
use super::rows::{self, KEPT, MANIFEST_JWS};
use super::{About, Archive, Fault, ISSUED, PACKAGES, PAPERS, UNFINISHED, check, disk, peek, sha256};
use crate::certificate::chain::{Entry, Kind};
use crate::certificate::issue::Status;
use crate::certificate::number::Number;
use crate::certificate::package::RECORD;
use crate::certificate::record::{Outcome, Record};
use crate::time::{Span, now, pace, sleep};
use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// Entries whose rows the register lacks, with their hashes.
type Missing = Vec<(Entry, String)>;

/// So long is a lock asked for that another holds: a process that was killed holds it until the disk has taken its last
/// write, and a program that is just being started by the one before holds all its files for a moment.
const LOCK_PATIENCE: Span = Span::from_millis(500);
/// So often.
const LOCK_EVERY: Span = Span::from_millis(20);

impl Archive {
    /// Opens a data folder for writing, makes it where there is none, and clears up after a crash; see
    /// [`Archive::notices`]. A run that was opened and not ended is aborted, unless the journal holds it: then it waits.
    pub fn open(dir: &Path) -> Result<Self, Fault> {
        Self::open_with(dir, None)
    }

    /// The same; the run that is still open ends with this entry, if it is its verdict, signed by the key in use: it was
    /// kept beside its record where nothing could be written any more. See [`Archive::bring_in`].
    pub fn open_with(dir: &Path, verdict: Option<&str>) -> Result<Self, Fault> {
        if !dir.exists() {
            disk::make_private(dir).map_err(|e| Fault::write(dir, "the data folder", &e))?;
        }
        let folders = [PACKAGES, PAPERS, ISSUED, UNFINISHED].map(|folder| dir.join(folder));
        for folder in std::iter::once(&dir.to_owned()).chain(&folders) {
            fs::create_dir_all(folder).map_err(|e| Fault::write(folder, "the data folder", &e))?;
        }
        for name in ["lock", chain::FILE, "register.csv"] {
            disk::refuse_link(&dir.join(name))?;
        }
        let path = dir.join("lock");
        let lock = File::options().write(true).create(true).truncate(false).open(&path);
        let lock = lock.map_err(|e| Fault::write(&path, "the lock", &e))?;
        // The other lives in the day's time, whatever the pace of ours.
        let (begin, patience) = (now(), LOCK_PATIENCE * pace());
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if now() - begin < patience => sleep(LOCK_EVERY * pace()),
                Err(TryLockError::WouldBlock) => return Err(Fault::Locked { path }),
                Err(TryLockError::Error(e)) => return Err(Fault::write(&path, "the lock", &e)),
            }
        }
        let mut notices: Vec<String> = disk::open_to_all(dir).into_iter().collect();
        for folder in std::iter::once(&dir.to_owned()).chain(&folders) {
            notices.extend(disk::remove_leftovers(folder)?);
        }
        let register_path = dir.join("register.csv");
        notices.extend(chain::mend(dir)?);
        notices.extend(register::mend(&register_path)?);
        let mut register = Register::read(&register_path)?;
        let (mut missing, state) = known::hold(dir, &mut register)?;
        let chain = Chain::of(dir, state);
        let keys = Keys::load(dir)?;
        let device = match chain.state.device.as_str() {
            "" => format!("tester-{:08x}", u32::from_be_bytes(random()?)),
            device => device.to_owned(),
        };
        let mut archive = Self {
            dir: dir.to_owned(),
            notices,
            chain,
            keys,
            device,
            journal_read: AtomicBool::new(false),
            _lock: lock,
        };
        register.check_strange()?;
        super::persons::mend(dir, &archive.chain.state)?;
        archive.see_numbers(&register)?;
        archive.finish_key_change()?;
        archive.adopt(&register, &mut missing)?;
        if let Some(line) = verdict {
            archive.take_verdict(line)?;
        }
        archive.abort_open_run()?;
        archive.add_missing(&missing);
        if !missing.is_empty() {
            register = Register::read(&register_path)?;
        }
        archive.tell_unregistered(&register)?;
        archive.tell_clock();
        Ok(archive)
    }

    /// Every number that stands in the register, names a folder, or stands in a package that is not registered.
    fn see_numbers(&mut self, register: &Register) -> Result<(), Fault> {
        let state = &mut self.chain.state;
        for number in &register.numbers {
            state.see(&number.to_string());
        }
        for folder in [UNFINISHED, PAPERS, ISSUED] {
            for name in disk::names(&self.dir.join(folder))? {
                state.see(&name);
            }
        }
        for name in disk::names(&self.dir.join(PACKAGES))? {
            let Ok(number) = name.parse::<Number>() else { continue };
            state.see(&name);
            if !register.numbers.contains(&number)
                && let Some(record_no) = peek(&self.dir.join(PACKAGES).join(&name).join(RECORD))
            {
                state.see(&record_no);
            }
        }
        Ok(())
    }

    /// A key whose change stands in the chain is taken into use, also where the power failed between the two.
    fn finish_key_change(&mut self) -> Result<(), Fault> {
        let (key_id, replaced) = (&self.chain.state.key_id, &self.chain.state.replaced_key_id);
        if key_id.is_empty() || !self.dir.join(super::keys::FOLDER).is_dir() {
            return Ok(());
        }
        let folder = Folder::of(&self.dir)?;
        if folder.is_ready(key_id)? {
            folder.promote(replaced)?;
            self.keys = Keys::load(&self.dir)?;
            self.notices.push(format!("the change to the key {key_id} was finished"));
        }
        Ok(())
    }

    /// Packages that were stored when the power failed before their entry was written: it is written now.
    fn adopt(&mut self, register: &Register, missing: &mut Missing) -> Result<(), Fault> {
        let mut candidates: Vec<_> =
            self.chain.state.run.iter().map(|run| (PACKAGES, run.certificate_no.clone())).collect();
        for name in disk::names(&self.dir.join(PAPERS))? {
            candidates.push((PAPERS, name));
        }
        for name in disk::names(&self.dir.join(ISSUED))? {
            if !register.has(&name, Status::Issued, "") {
                candidates.push((ISSUED, name));
            }
        }
        for (folder, name) in candidates {
            let package = self.dir.join(folder).join(&name);
            let Some(line) = super::keys::text(&package.join(MANIFEST_JWS))? else { continue };
            let Ok(entry) = Entry::from_line(&line) else {
                self.notices.push(format!("{}: its {MANIFEST_JWS} cannot be read", package.display()));
                continue;
            };
            let state = &self.chain.state;
            let follows = entry.seq == state.seq + 1 && (entry.prev == state.head || state.seq == 0);
            if follows && let Err(why) = self.may_adopt(folder, &name, &entry, &line) {
                let what = "has no entry in the chain, and none is made of it";
                self.notices.push(format!("{}: {what}: {why}", package.display()));
            } else if follows {
                let sha256 = self.chain.append(&entry, &line)?;
                self.notices.push(format!("{}: had no entry in the chain; it was added", package.display()));
                missing.push((entry, sha256));
            } else if entry.seq > state.seq {
                let what = "does not follow in the chain of this data folder; it counts for nothing";
                self.notices.push(format!("{}: {what}", package.display()));
            }
        }
        Ok(())
    }

    /// Why a package is not the one that the program stored when the power failed: it is made of nothing but what the
    /// key in use has signed, and where it is issued, of three signatures in the chain.
    fn may_adopt(&self, folder: &str, name: &str, entry: &Entry, line: &str) -> Result<(), String> {
        let (state, package) = (&self.chain.state, self.dir.join(folder).join(name));
        let fits = match folder {
            PACKAGES => entry.kind == Kind::Verdict && !entry.said.contains_key(KEPT),
            PAPERS => entry.kind == Kind::Papers,
            _ => matches!(entry.kind, Kind::Issue | Kind::Amend),
        };
        if !fits {
            return Err(format!(
                "its manifest is of the kind {}, which does not stand in {folder}/",
                entry.kind
            ));
        }
        if entry.cert.as_deref() != Some(name) || entry.device != self.device {
            return Err("its manifest is of another paper or device".into());
        }
        let is_run = |run: &super::chain::OpenRun| entry.record.as_ref() == Some(&run.record_no);
        if folder == PACKAGES && !state.run.as_ref().is_some_and(is_run) {
            return Err("its manifest is of another run than the one that is open".into());
        }
        if !state.key_id.is_empty() {
            if entry.key_id != state.key_id {
                return Err(format!("its manifest is not signed by the key in use, {}", state.key_id));
            }
            state.check_line(line)?;
        }
        let manifest = disk::read(&package.join(rows::MANIFEST)).map_err(|e| e.to_string())?;
        if manifest != entry.to_json() {
            return Err(format!("{} and {MANIFEST_JWS} differ", rows::MANIFEST));
        }
        let altered = super::papers::altered(&package, entry).map_err(|e| e.to_string())?;
        if !altered.is_empty() {
            return Err(altered.join("; "));
        }
        if folder == ISSUED {
            let paper = super::standing(&self.dir, name).map_err(|e| e.to_string())?;
            let draft = entry.said.get(super::approval::DRAFT) == Some(&paper.manifest_sha256);
            if paper.signatures.len() < 3 || !draft {
                return Err("three persons have not signed its draft".into());
            }
        }
        Ok(())
    }

    /// Ends the run that is open with its verdict, which could not be written when the run ended.
    fn take_verdict(&mut self, line: &str) -> Result<(), Fault> {
        let state = &self.chain.state;
        let Ok(entry) = Entry::from_line(line) else { return Ok(()) };
        let is_run = state.run.as_ref().is_some_and(|run| {
            entry.record.as_ref() == Some(&run.record_no) && entry.cert.as_ref() == Some(&run.certificate_no)
        });
        let follows = entry.seq == state.seq + 1 && entry.prev == state.head && entry.device == state.device;
        let is_kept = entry.kind == Kind::Verdict && entry.said.contains_key(KEPT);
        let is_signed = entry.key_id == state.key_id && state.check_line(line).is_ok();
        if is_run && follows && is_kept && is_signed {
            self.chain.append(&entry, line)?;
            let record_no = entry.record.unwrap_or_default();
            self.notices.push(format!(
                "{record_no}: its verdict was kept outside the data folder; it was added to the chain"
            ));
        }
        Ok(())
    }

    /// That the clock stands before the last entry.
    fn tell_clock(&mut self) {
        let now = super::clock::now();
        if let Some(last) = self.chain.state.time.filter(|last| now.timestamp() < last.timestamp()) {
            self.notices.push(format!(
                "the clock stands at {now}, before the last entry of the chain, {last}. Set it right; otherwise the chain will say that it was set back"
            ));
        }
    }

    /// The run that was on when the program or the power ended.
    fn abort_open_run(&mut self) -> Result<(), Fault> {
        let Some(run) = self.chain.state.run.clone() else { return Ok(()) };
        let folder = self.dir.join(UNFINISHED).join(&run.record_no);
        let mut unread = vec![];
        let ended = Self::ended(&folder, &mut unread);
        if ended.is_none() && self.has_journal() {
            let (book, notices) = self.journal()?;
            self.notices.extend(notices);
            // It can be gone on with, or closed: that is not for this place to decide.
            if book.holds(&run.record_no).unwrap_or(true) {
                return Ok(());
            }
        }
        let mut about = About {
            record: Some(run.record_no.clone()),
            cert: Some(run.certificate_no.clone()),
            ..About::default()
        }
        .simulated(run.simulated);
        // The record of a run that was ended, where the power failed before that was written.
        let reason = match ended {
            Some((record, files)) => {
                self.notices.extend(unread.into_iter().map(|what| {
                    format!("{what}: its SHA-256 is not in the chain's entry that ends {}", run.record_no)
                }));
                let (ended, reason) = super::papers::ended(&record);
                about = about.say("ended", ended);
                about.files = files;
                reason
            }
            None => "the program ended in it".to_owned(),
        };
        self.notices.push(format!("{} was not ended: {reason}; the chain says so now", run.record_no));
        self.write(Kind::Aborted, about.say("reason", reason))?;
        Ok(())
    }

    /// Ends the run that is open, whose journal cannot be read, without a record. `why`: what the person said.
    pub fn close_unread(&mut self, why: &str) -> Result<(), Fault> {
        let Some(run) = self.chain.state.run.clone() else { return Ok(()) };
        // First the journal: should the power fail now, the run is aborted at the next start and asked for no more. Best
        // effort: a journal that cannot be written keeps no run open.
        if self.has_journal()
            && let Ok((mut book, _)) = self.journal()
        {
            let _ = book.give_up(&run.record_no);
        }
        let about = About { record: Some(run.record_no), cert: Some(run.certificate_no), ..About::default() };
        self.write(Kind::Aborted, about.simulated(run.simulated).say("reason", why))?;
        Ok(())
    }

    /// Whether a run has ended in the chain, and nothing was stored of it nor kept elsewhere: closed unread, or ended by the
    /// power. Every entry of the chain is read.
    pub fn ended_with_nothing(&self, record_no: &str) -> Result<bool, Fault> {
        let mut ended = false;
        chain::read(&self.dir, |entry, _| {
            if entry.record.as_deref() == Some(record_no) {
                let nothing = entry.files.is_empty() && !entry.said.contains_key(KEPT);
                ended = entry.kind == Kind::Aborted && nothing;
            }
        })?;
        Ok(ended)
    }

    /// The record of a run without verdict that was stored, and the SHA-256 of its files; those that cannot be read are told
    /// with the reason. A pre-check is such a run, although it was completed.
    fn ended(folder: &Path, unread: &mut Vec<String>) -> Option<(Record, BTreeMap<String, String>)> {
        let record: Record = rows::record(folder).ok()?;
        if record.outcome == Outcome::Completed && record.certificate_no.is_some() {
            return None;
        }
        let files = disk::names(folder).ok()?.into_iter();
        let files = files.filter_map(|name| match disk::read(&folder.join(&name)) {
            Ok(bytes) => Some((name, sha256(&bytes))),
            Err(fault) => {
                unread.push(fault.to_string());
                None
            }
        });
        Some((record, files.collect()))
    }

    /// Adds the rows that the power did not let be written.
    fn add_missing(&mut self, missing: &Missing) {
        for (entry, sha256) in missing {
            let number = entry.cert.as_deref().unwrap_or_default();
            let notice = match self.add_rows(entry, sha256, None) {
                Ok(()) => format!("{number} ({}): had no row in the register; it was added", entry.kind),
                Err(fault) => format!(
                    "{number} ({}): has no row in the register, and none can be made: {fault}",
                    entry.kind
                ),
            };
            self.notices.push(notice);
        }
    }

    /// The rows of an entry, in one write; those that are there already stay the only ones. `made` is the record of its package,
    /// where it is at hand.
    pub(super) fn add_rows(&self, entry: &Entry, sha256: &str, made: Option<&Record>) -> Result<(), Fault> {
        let register = Register::read(&self.register_path())?;
        let mut bytes = vec![];
        let mut seq = register.next_seq();
        for due in rows::due(entry, sha256) {
            if register.has(&due.certificate_no, due.status, &due.manifest_sha256) {
                continue;
            }
            bytes.extend(rows::row(&self.dir, &due, seq, made.map(|record| (sha256, record)))?);
            seq += 1;
        }
        if bytes.is_empty() { Ok(()) } else { register.append(&bytes) }
    }

    /// Folders among the packages that neither chain nor register know.
    fn tell_unregistered(&mut self, register: &Register) -> Result<(), Fault> {
        for name in disk::names(&self.dir.join(PACKAGES))? {
            let Ok(number) = name.parse::<Number>() else { continue };
            if register.numbers.contains(&number) {
                continue;
            }
            let package = self.dir.join(PACKAGES).join(&name);
            let why = match rows::record(&package).and_then(|record| check(&record).map(|_| ())) {
                Ok(()) => "it has no entry in the chain".to_owned(),
                Err(fault) => fault.to_string(),
            };
            self.notices.push(format!(
                "{}: has no row in the register, and none can be made: {why}",
                package.display()
            ));
        }
        Ok(())
    }
}

/// Holds the rows of the register against the entries of the chain, without the lock.
pub fn check_register(dir: &Path) -> Result<(), Fault> {
    lacking(dir).map(|_| ())
}

/// The same; gives how many entries lack a row: they get it when the data folder is opened.
pub(super) fn lacking(dir: &Path) -> Result<u64, Fault> {
    let mut register = Register::read(&dir.join("register.csv"))?;
    let (lacking, _) = known::hold(dir, &mut register)?;
    register.check_strange()?;
    Ok(lacking.len() as u64)
}
