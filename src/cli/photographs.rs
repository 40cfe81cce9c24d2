//! Photographs of seals: read, looked at, given the names that they have in the package.

use super::Stop;
use phantomload::archive::{Photograph, sha256};
use phantomload::certificate::photograph::{SIZE_MAX, ending};
use phantomload::plan::seal::Seal;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads the photographs of `seals`, whose names count from `folder` and do not lead out of it; each seal then names its
/// copy in the package.
pub fn take(seals: &mut [Seal], folder: &Path, when: &str) -> Result<Vec<Photograph>, Stop> {
    let mut taken = vec![];
    for (n, seal) in seals.iter_mut().enumerate() {
        // What a file says of its own photographs is nobody's word.
        seal.photograph_sha256 = None;
        let Some(file) = &seal.photograph else { continue };
        let path = folder.join(file);
        let refuse = |why: String| {
            Stop::input(format!("photograph of the seal at {}: {}: {why}", seal.place, path.display()))
        };
        let whole = |path: &Path| path.canonicalize().map_err(|e| refuse(e.to_string()));
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let (inside, kind) = (whole(&path)?.starts_with(whole(folder)?), path.metadata());
        if !inside {
            return Err(refuse(format!("it leads out of the folder {}; copy it there", folder.display())));
        }
        if !kind.is_ok_and(|kind| kind.is_file()) {
            return Err(refuse("it is no regular file".into()));
        }
        let mut bytes = vec![];
        let read = File::open(&path).and_then(|file| file.take(SIZE_MAX + 1).read_to_end(&mut bytes));
        read.map_err(|e| refuse(e.to_string()))?;
        if bytes.len() as u64 > SIZE_MAX {
            return Err(refuse(format!("it is larger than {} MB; make it smaller", SIZE_MAX >> 20)));
        }
        let ending = ending(&bytes)
            .ok_or_else(|| refuse("it is no picture by its content; JPEG and PNG are allowed".into()))?;
        let name = format!("photograph-{when}-{}.{ending}", n + 1);
        seal.photograph = Some(name.clone());
        seal.photograph_sha256 = Some(sha256(&bytes));
        taken.push((name, bytes));
    }
    Ok(taken)
}
