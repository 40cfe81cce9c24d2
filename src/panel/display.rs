//! Where a picture of the status panel goes: an SSD1306 on I²C, or a PNG file.
//!
//! The controller's slave address is 3Ch or 3Dh by its pin SA0, a column of 8 dots a byte, lowest bit on top (Solomon
//! Systech SSD1306 rev 1.1, 8.1.5 and 8.7). Its commands are the crate's.

use super::bitmap::Bitmap;
use super::status::{HEIGHT, WIDTH};
use embedded_hal::i2c::I2c;
use ssd1306::mode::{BufferedGraphicsMode, DisplayConfig};
use ssd1306::prelude::{DisplayRotation, DisplaySize128x64, I2CInterface};
use ssd1306::{I2CDisplayInterface, Ssd1306};
use std::fs;
use std::path::PathBuf;

/// The addresses that the controller can have.
pub const ADDRESSES: [u8; 2] = [0x3C, 0x3D];

/// Why a picture is not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bus.
    #[error(
        "status panel: /dev/i2c-{bus} cannot be opened: {why}. Switch the bus on (raspi-config, Interface Options, I2C), or take [panel] out of the bench file"
    )]
    Bus {
        /// Its number.
        bus: u8,
        /// The system's words.
        why: String,
    },
    /// Nobody answers.
    #[error(
        "status panel: nothing answers at address {address:#04x} ({what}). Look at its plug and supply; its address is 0x3c or 0x3d"
    )]
    Silent {
        /// The address.
        address: u8,
        /// The driver's words.
        what: String,
    },
    /// The file.
    #[error("status panel: {path} cannot be written: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        why: String,
    },
}

/// Something that shows a picture.
pub trait Display: Send {
    /// Shows it.
    fn show(&mut self, picture: &Bitmap) -> Result<(), Fault>;
}

/// A panel of 128 by 64 dots on a bus.
pub struct Oled<I> {
    driver: Ssd1306<I2CInterface<I>, DisplaySize128x64, BufferedGraphicsMode<DisplaySize128x64>>,
    address: u8,
}

impl<I: I2c> Oled<I> {
    /// Switches it on and clears it. `turned`: it is built in upside down.
    pub fn new(bus: I, address: u8, turned: bool) -> Result<Self, Fault> {
        let rotation = if turned { DisplayRotation::Rotate180 } else { DisplayRotation::Rotate0 };
        let interface = I2CDisplayInterface::new_custom_address(bus, address);
        let mut driver = Ssd1306::new(interface, DisplaySize128x64, rotation).into_buffered_graphics_mode();
        let silent = |what| Fault::Silent { address, what: format!("{what:?}") };
        driver.init().map_err(silent)?;
        driver.flush().map_err(silent)?;
        Ok(Self { driver, address })
    }
}

impl<I: I2c + Send> Display for Oled<I> {
    fn show(&mut self, picture: &Bitmap) -> Result<(), Fault> {
        for (x, y) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))) {
            self.driver.set_pixel(x, y, picture.is_ink(x, y));
        }
        let address = self.address;
        self.driver.flush().map_err(|what| Fault::Silent { address, what: format!("{what:?}") })
    }
}

/// Opens the panel on a bus of this computer.
pub fn oled(bus: u8, address: u8, turned: bool) -> Result<Box<dyn Display>, Fault> {
    let opened = rppal::i2c::I2c::with_bus(bus).map_err(|e| Fault::Bus { bus, why: e.to_string() })?;
    Ok(Box::new(Oled::new(opened, address, turned)?))
}

/// A file that always holds the latest picture, for a tester without a panel and for tests.
pub struct File {
    /// Its path.
    pub path: PathBuf,
}

impl Display for File {
    /// Writes another file and renames it: whoever reads it sees a whole picture.
    fn show(&mut self, picture: &Bitmap) -> Result<(), Fault> {
        let beside = self.path.with_extension("png.new");
        let written = fs::write(&beside, picture.png()).and_then(|()| fs::rename(&beside, &self.path));
        written.map_err(|e| Fault::File { path: self.path.clone(), why: e.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::status::{Language, Stage, Status, draw_status};
    use embedded_hal::i2c::{ErrorKind, ErrorType, NoAcknowledgeSource, Operation};
    use std::sync::{Arc, Mutex};

    /// A controller as its data sheet has it: commands after 00h, data after 40h (8.1.5.2), into its memory in horizontal
    /// addressing (10.1.3): column by column within the window of 21h, then the next page of that of 22h.
    #[derive(Default)]
    struct Memory {
        cells: Vec<[u8; 128]>,
        columns: (u8, u8),
        pages: (u8, u8),
        at: (u8, u8),
        mode: Option<u8>,
        is_on: bool,
        pending: Vec<u8>,
        gone: bool,
    }

    #[derive(Clone)]
    struct Fake(Arc<Mutex<Memory>>);

    impl Memory {
        fn command(&mut self, byte: u8) {
            self.pending.push(byte);
            match self.pending[..] {
                // Those of three bytes, and of two, wait for the rest.
                [0x20..=0x22 | 0x81 | 0x8D | 0xA8 | 0xD3 | 0xD5 | 0xD9 | 0xDA | 0xDB] | [0x21 | 0x22, _] => {
                    return;
                }
                [0x21, from, to] => (self.columns, self.at.0) = ((from, to), from),
                [0x22, from, to] => (self.pages, self.at.1) = ((from, to), from),
                [0x20, mode] => self.mode = Some(mode),
                [0xAE | 0xAF] => self.is_on = byte == 0xAF,
                _ => {}
            }
            self.pending.clear();
        }

        fn data(&mut self, byte: u8) {
            assert_eq!(self.mode, Some(0), "horizontal addressing");
            self.cells[usize::from(self.at.1)][usize::from(self.at.0)] = byte;
            if self.at.0 < self.columns.1 {
                self.at.0 += 1;
            } else {
                let page = if self.at.1 < self.pages.1 { self.at.1 + 1 } else { self.pages.0 };
                self.at = (self.columns.0, page);
            }
        }
    }

    impl ErrorType for Fake {
        type Error = ErrorKind;
    }

    impl I2c for Fake {
        fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
            let mut memory = self.0.lock().unwrap();
            if address != 0x3C || memory.gone {
                return Err(ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address));
            }
            for operation in operations {
                let Operation::Write(bytes) = operation else { panic!("nothing is read from a panel") };
                let (kind, rest) = bytes.split_first().unwrap();
                for byte in rest {
                    match kind {
                        0x00 => memory.command(*byte),
                        0x40 => memory.data(*byte),
                        other => panic!("control byte {other:02x}"),
                    }
                }
            }
            Ok(())
        }
    }

    fn panel() -> (Fake, Oled<Fake>) {
        let memory = Memory { cells: vec![[0xFF; 128]; 8], ..Memory::default() };
        let fake = Fake(Arc::new(Mutex::new(memory)));
        let oled = Oled::new(fake.clone(), 0x3C, false).unwrap();
        (fake, oled)
    }

    fn status(stage: Stage) -> Status {
        Status { stage, simulated: true, address: Some("192.168.1.23".into()) }
    }

    #[test]
    fn what_is_drawn_stands_dot_by_dot_in_the_controllers_memory() {
        let (fake, mut oled) = panel();
        assert!(fake.0.lock().unwrap().is_on);
        for stage in [Stage::Ready, Stage::Opening, Stage::Ready] {
            for language in [Language::Chinese, Language::English] {
                let picture = draw_status(&status(stage.clone()), language);
                oled.show(&picture).unwrap();
                let memory = fake.0.lock().unwrap();
                for (x, y) in (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| (x, y))) {
                    let lit = memory.cells[y as usize / 8][x as usize] & (1 << (y % 8)) != 0;
                    assert_eq!(lit, picture.is_ink(x, y), "{stage:?} {language:?} at {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_panel_that_is_not_there_or_goes_away_is_a_fault_in_words() {
        let (fake, mut oled) = panel();
        fake.0.lock().unwrap().gone = true;
        let fault = oled.show(&draw_status(&status(Stage::Ready), Language::Chinese)).unwrap_err();
        assert!(fault.to_string().contains("nothing answers at address 0x3c"), "{fault}");
        fake.0.lock().unwrap().gone = false;
        let other = Oled::new(fake, 0x3D, false).err().unwrap().to_string();
        assert!(other.contains("0x3d"), "{other}");
        let none = oled_on_no_bus();
        assert!(none.contains("/dev/i2c-250 cannot be opened"), "{none}");
    }

    fn oled_on_no_bus() -> String {
        super::oled(250, 0x3C, false).err().unwrap().to_string()
    }

    #[test]
    fn a_file_holds_the_latest_picture() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = File { path: dir.path().join("panel.png") };
        for stage in [Stage::Opening, Stage::Ready] {
            let picture = draw_status(&status(stage), Language::English);
            file.show(&picture).unwrap();
            assert_eq!(fs::read(&file.path).unwrap(), picture.png());
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let mut nowhere = File { path: dir.path().join("no/panel.png") };
        let picture = draw_status(&status(Stage::Ready), Language::English);
        assert!(nowhere.show(&picture).unwrap_err().to_string().contains("cannot be written"));
    }
}
