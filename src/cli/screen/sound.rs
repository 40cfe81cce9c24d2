//! Sounds, made here and played by whatever player the system has; without one, the console's bell.

use super::photo::is_there;
use crate::cli::selftest::{Light, State};
use phantomload::screen::values::Sound;
use std::io::Write;
use std::process::{Command, Stdio};

/// Players that read a WAV file from standard input, the first that is there.
const PLAYERS: [(&str, &[&str]); 2] = [("aplay", &["-q", "-"]), ("paplay", &["/dev/stdin"])];
/// Samples a second.
const RATE: u32 = 22_050;

/// Tones: frequency in Hz (0: silence) and length in ms. Rising is good, falling is not, one long tone: come and look.
fn tones(sound: Sound) -> &'static [(f64, u32)] {
    match sound {
        Sound::Pass => &[(660.0, 160), (0.0, 40), (880.0, 160), (0.0, 40), (1320.0, 420)],
        Sound::Fail => &[(440.0, 380), (0.0, 80), (330.0, 380), (0.0, 80), (220.0, 700)],
        Sound::Look => &[(590.0, 900), (0.0, 200), (590.0, 900)],
        Sound::Tick => &[(1000.0, 30)],
    }
}

fn player() -> Option<&'static (&'static str, &'static [&'static str])> {
    PLAYERS.iter().find(|(program, _)| is_there(program))
}

/// How sounds are made here.
pub(super) fn light() -> Light {
    let what = "sound".to_owned();
    match player() {
        Some((program, _)) => {
            Light { what, state: State::Good, seen: format!("played by {program}"), todo: None }
        }
        None => Light {
            what,
            state: State::Unknown,
            seen: "no player is installed: only the console's bell".into(),
            todo: Some("Install alsa-utils (aplay)"),
        },
    }
}

/// Plays it. Whoever cannot hear it has the screen.
pub(super) fn play(sound: Sound) {
    let Some((program, arguments)) = player() else {
        let _ = std::io::stderr().lock().write_all(b"\x07");
        return;
    };
    let child = Command::new(program)
        .args(*arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else { return };
    if let Some(mut input) = child.stdin.take() {
        let _ = input.write_all(&wav(tones(sound)));
    }
    let _ = child.wait();
}

/// A WAV file (RIFF, PCM, one channel of 16 bits).
fn wav(tones: &[(f64, u32)]) -> Vec<u8> {
    let mut samples: Vec<i16> = vec![];
    for (frequency, millis) in tones {
        let count = RATE * millis / 1000;
        for n in 0..count {
            let t = f64::from(n) / f64::from(RATE);
            // A short rise and fall: without them a tone begins and ends with a crack.
            let edge = f64::from(n.min(count - n)) / (f64::from(RATE) * 0.01);
            let value = (t * frequency * std::f64::consts::TAU).sin() * edge.min(1.0) * 0.8;
            samples.push((value * f64::from(i16::MAX)) as i16);
        }
    }
    let data = samples.len() as u32 * 2;
    let mut file = vec![];
    file.extend_from_slice(b"RIFF");
    file.extend_from_slice(&(36 + data).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt ");
    file.extend_from_slice(&16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    for word in [RATE, RATE * 2] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for half in [2_u16, 16] {
        file.extend_from_slice(&half.to_le_bytes());
    }
    file.extend_from_slice(b"data");
    file.extend_from_slice(&data.to_le_bytes());
    file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sound_is_a_whole_file_of_its_own() {
        let files = [Sound::Pass, Sound::Fail, Sound::Look, Sound::Tick].map(|sound| wav(tones(sound)));
        for (index, file) in files.iter().enumerate() {
            let length = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize;
            assert_eq!((length + 8, &file[..4]), (file.len(), b"RIFF".as_slice()));
            assert!(files[..index].iter().all(|other| other != file));
        }
    }
}
