//! A picture of one bit a dot, as a thermal printer burns it.

use embedded_graphics::Pixel;
use embedded_graphics::draw_target::DrawTarget;
use embedded_graphics::geometry::{Dimensions, Point, Size};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::primitives::Rectangle;
use std::convert::Infallible;

/// Dots in rows; a set bit is ink. Each row begins with a new byte, its leftmost dot is the highest bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: u32,
    height: u32,
    dpi: u32,
    rows: Vec<u8>,
}

impl Bitmap {
    /// An empty picture.
    pub fn new(width: u32, height: u32, dpi: u32) -> Self {
        let rows = vec![0; width.div_ceil(8) as usize * height as usize];
        Self { width, height, dpi, rows }
    }

    /// Dots in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Dots an inch.
    pub fn dpi(&self) -> u32 {
        self.dpi
    }

    /// Bytes a row.
    pub fn stride(&self) -> usize {
        self.width.div_ceil(8) as usize
    }

    /// The rows, ink as set bits; what stands behind the last dot of a row is clear.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// Whether a dot is ink; outside all is paper.
    pub fn is_ink(&self, x: u32, y: u32) -> bool {
        x < self.width && y < self.height && self.rows[self.byte(x, y)] & Self::bit(x) != 0
    }

    /// Sets a dot; outside nothing happens.
    pub fn set(&mut self, x: i32, y: i32, ink: bool) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { return };
        if x >= self.width || y >= self.height {
            return;
        }
        let byte = self.byte(x, y);
        if ink {
            self.rows[byte] |= Self::bit(x);
        } else {
            self.rows[byte] &= !Self::bit(x);
        }
    }

    /// As PNG of one bit a dot, with the resolution in it, so that a program prints it at its size.
    pub fn png(&self) -> Vec<u8> {
        let mut file = vec![];
        let mut encoder = png::Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        encoder.set_compression(png::Compression::High);
        // An inch is 25.4 mm.
        let dots_per_metre = (f64::from(self.dpi) / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions {
            xppu: dots_per_metre,
            yppu: dots_per_metre,
            unit: png::Unit::Meter,
        }));
        // In a grey picture a set bit is light.
        let light: Vec<u8> = self.rows.iter().map(|byte| !byte).collect();
        let mut writer = encoder.write_header().expect("a vector takes a header");
        writer.write_image_data(&light).expect("the rows are as long as the header says");
        writer.finish().expect("a vector takes the end");
        file
    }

    fn byte(&self, x: u32, y: u32) -> usize {
        y as usize * self.stride() + x as usize / 8
    }

    fn bit(x: u32) -> u8 {
        0x80 >> (x % 8)
    }
}

impl Dimensions for Bitmap {
    fn bounding_box(&self) -> Rectangle {
        Rectangle::new(Point::zero(), Size::new(self.width, self.height))
    }
}

impl DrawTarget for Bitmap {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(&mut self, pixels: I) -> Result<(), Infallible> {
        for Pixel(at, color) in pixels {
            self.set(at.x, at.y, color.is_on());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embedded_graphics::prelude::*;
    use embedded_graphics::primitives::PrimitiveStyle;

    #[test]
    fn what_is_drawn_comes_back_from_the_file_with_its_resolution() {
        let mut bitmap = Bitmap::new(21, 5, 203);
        let corner = Rectangle::new(Point::new(18, 3), Size::new(10, 10));
        corner.into_styled(PrimitiveStyle::with_fill(BinaryColor::On)).draw(&mut bitmap).unwrap();
        bitmap.set(-1, 0, true);
        bitmap.set(0, 5, true);
        let file = bitmap.png();
        let mut reader = png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
        let mut rows = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rows).unwrap();
        assert_eq!((info.width, info.height, info.bit_depth), (21, 5, png::BitDepth::One));
        for y in 0..5 {
            for x in 0..21 {
                let light = rows[y * info.line_size + x / 8] & (0x80 >> (x % 8)) != 0;
                assert_eq!(!light, x >= 18 && y >= 3, "{x} {y}");
                assert_eq!(!light, bitmap.is_ink(x as u32, y as u32));
            }
        }
        // 203 dots an inch are 7992 dots a metre.
        assert_eq!(reader.info().pixel_dims.unwrap().xppu, 7992);
        assert_eq!(bitmap.rows().len(), 15);
    }
}
