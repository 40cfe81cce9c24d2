//! Photographs: files of a folder, or one by the camera. Only name and SHA-256 go into the record; the file stays where it is.

use phantomload::archive;
use phantomload::screen::values::PhotoFile;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

/// A picture larger than this is not read.
const LARGEST: u64 = 40 << 20;
/// More are not listed.
const MOST: usize = 30;
/// Programs that take a picture into a file, the first that is there.
const CAMERAS: [(&str, &[&str]); 3] = [
    ("rpicam-still", &["--nopreview", "--timeout", "1000", "--output"]),
    ("libcamera-still", &["--nopreview", "--timeout", "1000", "--output"]),
    ("fswebcam", &["--no-banner"]),
];

/// Pictures of the folder, the newest names first.
pub(super) fn list(folder: &Path) -> Result<Vec<PhotoFile>, String> {
    if !folder.exists() {
        return Ok(vec![]);
    }
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let is_picture = |path: &std::path::PathBuf| {
        let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default().to_lowercase();
        ["jpg", "jpeg", "png"].contains(&end.as_str())
    };
    paths.retain(is_picture);
    paths.sort();
    paths.reverse();
    Ok(paths.into_iter().take(MOST).filter_map(|path| file(&path)).collect())
}

fn file(path: &Path) -> Option<PhotoFile> {
    // A stick's owner may have put a pipe or a link to a device there, under the name of a picture.
    let found = std::fs::symlink_metadata(path).ok()?;
    if !found.is_file() || found.len() > LARGEST {
        return None;
    }
    let mut bytes = vec![];
    std::fs::File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    Some(PhotoFile {
        name: path.file_name()?.to_string_lossy().into_owned(),
        path: path.display().to_string(),
        sha256: archive::sha256(&bytes),
    })
}

/// Takes one.
pub(super) fn take(folder: &Path) -> Result<PhotoFile, String> {
    let Some((camera, arguments)) = CAMERAS.iter().find(|(program, _)| is_there(program)) else {
        return Err(
            "no camera program is installed (rpicam-still, fswebcam): put the picture into the folder `photos`".into(),
        );
    };
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let name = phantomload::time::Stamp::now().civil().strftime("%Y%m%d-%H%M%S.jpg").to_string();
    let path = folder.join(name);
    let done = Command::new(camera)
        .args(*arguments)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|e| format!("{camera}: {e}"))?;
    let taken = file(&path).filter(|_| done.success());
    taken.ok_or_else(|| format!("{camera} took no picture: look at the camera and its cable"))
}

/// Whether a program is on the path.
pub(super) fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(all(test, unix))]
mod tests {
    use super::list;

    #[test]
    fn a_link_to_a_device_under_the_name_of_a_picture_is_not_read() {
        let stick = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/dev/zero", stick.path().join("a.jpg")).unwrap();
        std::fs::create_dir(stick.path().join("b.png")).unwrap();
        std::fs::write(stick.path().join("c.jpg"), "picture").unwrap();
        let names: Vec<_> = list(stick.path()).unwrap().into_iter().map(|photo| photo.name).collect();
        assert_eq!(names, ["c.jpg"]);
    }
}
