//! Files and folders that are there whole or not at all.

use super::Fault;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Names that are not finished begin so.
const TEMPORARY: &str = ".tmp-";

/// The names in a folder, sorted; temporary ones and those that are no text are left out.
pub fn names(folder: &Path) -> Result<Vec<String>, Fault> {
    let fault = |e: io::Error| Fault::read(folder, &e);
    let mut names = vec![];
    for entry in fs::read_dir(folder).map_err(fault)? {
        names.extend(entry.map_err(fault)?.file_name().into_string());
    }
    names.retain(|name| !name.starts_with(TEMPORARY));
    names.sort();
    Ok(names)
}

/// The longest file that is read whole: many times the longest of a package.
const LONGEST: u64 = 256 << 20;
/// Register and chain grow with the years: some million rows.
const LONGEST_LIST: u64 = 4 << 30;

/// Opens a regular file to be read: a pipe would be waited for, and a device has no end.
pub fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        File::open(path)
    } else {
        Err(io::Error::other("it is no regular file, but a folder, a pipe or a device"))
    }
}

/// Opens a register or chain, to be read bit by bit.
pub fn open_list(path: &Path) -> io::Result<File> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    if length > LONGEST_LIST {
        return Err(io::Error::other(format!("it has {length} bytes; no more than {LONGEST_LIST} are read")));
    }
    Ok(file)
}

/// The bytes of a regular file of at most so many.
fn regular(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path)?;
    let (mut length, mut bytes) = (file.metadata()?.len(), vec![]);
    if length <= most {
        bytes.reserve_exact(usize::try_from(length + 1).unwrap_or(0));
        file.take(most + 1).read_to_end(&mut bytes)?;
        length = bytes.len() as u64;
    }
    if length > most {
        return Err(io::Error::other(format!("it has {length} bytes; no more than {most} are read")));
    }
    Ok(bytes)
}

/// A regular file whole, of the size of a package's at most: neither a pipe nor a device is waited for.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    regular(path, LONGEST).map_err(|e| Fault::read(path, &e))
}

/// A regular file whole; `None` where there is none.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    if_there(path, LONGEST)
}

/// The same of a register or chain.
pub fn read_list_if_there(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    if_there(path, LONGEST_LIST)
}

fn if_there(path: &Path, most: u64) -> Result<Option<Vec<u8>>, Fault> {
    match regular(path, most) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Fault::read(path, &e)),
    }
}

/// Removes what a crash has left under temporary names, and says so.
pub fn remove_leftovers(folder: &Path) -> Result<Vec<String>, Fault> {
    let fault = |e: io::Error| Fault::read(folder, &e);
    let mut notices = vec![];
    for entry in fs::read_dir(folder).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        if !entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            continue;
        }
        let path = entry.path();
        let removed = if entry.file_type().is_ok_and(|t| t.is_dir()) {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(|e| Fault::write(&path, "the removal of a half-written leftover", &e))?;
        notices.push(format!("{}: a half-written leftover of a crash was removed", path.display()));
    }
    Ok(notices)
}

/// Stores files in a new folder `name` of `folder`: made under a temporary name, forced to the disk, renamed.
pub fn store_folder(folder: &Path, name: &str, files: &[(String, Vec<u8>)]) -> Result<PathBuf, Fault> {
    let (half, whole) = (folder.join(format!("{TEMPORARY}{name}")), folder.join(name));
    // What an earlier failure could not remove.
    let _ = fs::remove_dir_all(&half);
    let stored = fill(&half, files).and_then(|()| {
        if fs::symlink_metadata(&whole).is_ok() {
            return Err(Fault::write(&whole, "the package", &ErrorKind::AlreadyExists.into()));
        }
        fs::rename(&half, &whole).map_err(|e| Fault::write(&whole, "the package", &e))
    });
    if let Err(fault) = stored {
        // Best effort: what cannot be removed now is removed when the folder is opened again.
        let _ = fs::remove_dir_all(&half);
        return Err(fault);
    }
    sync_folder(folder)?;
    Ok(whole)
}

fn fill(half: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Fault> {
    fs::create_dir(half).map_err(|e| Fault::write(half, "the package", &e))?;
    for (name, bytes) in files {
        store_file(half, name, bytes)?;
    }
    sync_folder(half)
}

/// Stores a file under a temporary name, forces it to the disk and renames it.
pub fn store_file(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    replace(folder, name, bytes, File::options().write(true).create_new(true))
}

/// The same for what only this user may read: a file of the data folder is replaced whole or not at all.
pub fn store_private(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    replace(folder, name, bytes, &private())
}

/// A new file that only this user may read.
pub fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Writes a new file that only this user may read, outside the data folder; a half-written one is removed. What stands
/// there already, a link too, is left alone.
pub fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        // Best effort: the fault is told in any case.
        let _ = fs::remove_file(path);
    }
    written
}

/// Why a secret is none: others may read or write it. Nothing where only its owner may, and on systems without modes.
pub fn exposed(path: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path).ok()?.permissions().mode() & 0o777;
        (mode & 0o077 != 0).then(|| {
            format!(
                "{} may be read or written by others (mode {mode:04o}; allowed is 0600): nothing is signed with it. `chmod 600` it, on a file system that keeps modes; if somebody may have copied it, replace it by `phantomload key rotate` then",
                path.display()
            )
        })
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Refuses a file that is a link: what is appended would be written elsewhere. A pipe would be waited for.
pub fn refuse_link(path: &Path) -> Result<(), Fault> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    let what = if found.file_type().is_symlink() {
        "it is a link, and this program would write to where it leads. Put the file itself there"
    } else if found.is_file() {
        return Ok(());
    } else {
        "it is no regular file, but a folder, a pipe or a device. Move it away"
    };
    Err(Fault::File { path: path.to_owned(), what: what.into() })
}

/// That anybody on this machine may write into a folder, in words.
pub fn open_to_all(folder: &Path) -> Option<String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(folder).ok()?.permissions().mode() & 0o7777;
        (mode & 0o002 != 0).then(|| {
            format!(
                "{}: anybody on this machine may write into it (mode {mode:04o}); `chmod o-w` it",
                folder.display()
            )
        })
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        None
    }
}

/// Makes a folder that only this user may look into; one that is there stays as it is.
pub fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Lets only this user look into a folder.
pub fn keep_to_oneself(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let _ = folder;
    Ok(())
}

fn replace(folder: &Path, name: &str, bytes: &[u8], options: &fs::OpenOptions) -> Result<(), Fault> {
    let (half, whole) = (folder.join(format!("{TEMPORARY}{name}")), folder.join(name));
    let written = options.open(&half).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&half, &whole)).map_err(|e| {
        // Best effort, as above.
        let _ = fs::remove_file(&half);
        Fault::write(&whole, "a file of the data folder", &e)
    })
}

/// Forces names to the disk.
pub fn sync_folder(folder: &Path) -> Result<(), Fault> {
    // Elsewhere a folder cannot be opened as a file, and names are forced with the file.
    if !cfg!(unix) {
        return Ok(());
    }
    File::open(folder)
        .and_then(|f| f.sync_all())
        .map_err(|e| Fault::write(folder, "the names in a folder", &e))
}

/// Appends in one write and forces it to the disk; on failure the file is as long as before.
pub fn append(path: &Path, what: &'static str, bytes: &[u8]) -> Result<(), Fault> {
    let fault = |e: &io::Error| Fault::write(path, what, e);
    let mut file = File::options().append(true).create(true).open(path).map_err(|e| fault(&e))?;
    let before = file.metadata().map_err(|e| fault(&e))?.len();
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Best effort: a torn row that stays is mended when the folder is opened again.
        let _ = file.set_len(before).and_then(|()| file.sync_all());
        return Err(fault(&error));
    }
    path.parent().map_or(Ok(()), sync_folder)
}

/// Moves what stands behind the first `whole` bytes of a file, torn by a crash, into a file of its own: never dropped.
/// Says what it did; `what` names the torn part.
pub fn move_tail(path: &Path, whole: usize, what: &str, tail: &[u8]) -> Result<Option<String>, Fault> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let free = |name: &String| fs::symlink_metadata(folder.join(name)).is_err();
    let Some(name) = (1..u32::MAX).map(|n| format!("{file}.torn-{n}")).find(free) else { return Ok(None) };
    store_file(folder, &name, tail)?;
    sync_folder(folder)?;
    let cut = File::options().write(true).open(path).and_then(|file| {
        file.set_len(whole as u64)?;
        file.sync_all()
    });
    cut.map_err(|e| Fault::write(path, "the file without its torn end", &e))?;
    let (path, moved) = (path.display(), folder.join(name));
    Ok(Some(format!("{path}: {what} was torn by a crash; it was moved to {}", moved.display())))
}

/// Stores a secret that only this user may read. An existing file is never overwritten.
pub fn store_secret(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let (half, whole) = (folder.join(format!("{TEMPORARY}{name}")), folder.join(name));
    let fault = |e: &io::Error| Fault::write(&whole, "a private key", e);
    if fs::symlink_metadata(&whole).is_ok() {
        return Err(fault(&ErrorKind::AlreadyExists.into()));
    }
    // What an earlier failure could not remove.
    let _ = fs::remove_file(&half);
    let written = private().open(&half).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&half, &whole)) {
        let _ = fs::remove_file(&half);
        return Err(fault(&error));
    }
    sync_folder(folder)
}
