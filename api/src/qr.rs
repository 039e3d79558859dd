//! QR codes, as vectors for the web and as pixels for label printers.

use qrcode::render::svg;
use qrcode::types::QrError;
use qrcode::{Color, EcLevel, QrCode};

/// The empty border that scanners need, in modules (ISO/IEC 18004, 9.1).
const QUIET_MODULES: usize = 4;

/// Labels on crates get wet and scratched: a quarter of the code may be lost.
const CORRECTION: EcLevel = EcLevel::Q;

/// Why no picture was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PictureError {
    #[error("the URL is too long for a QR code; configure a shorter base URL")]
    Code(#[from] QrError),
    #[error("the QR code could not be written as PNG")]
    Png(#[from] png::EncodingError),
}

/// An SVG image of at least 240 by 240 units.
pub(crate) fn svg(text: &str) -> Result<String, PictureError> {
    let code = QrCode::with_error_correction_level(text, CORRECTION)?;
    let mut image = code.render::<svg::Color<'_>>();
    image.min_dimensions(240, 240).quiet_zone(true).dark_color(svg::Color("#000")).light_color(svg::Color("#fff"));
    Ok(image.build())
}

/// A PNG image with `scale` pixels to the module, one bit each.
pub(crate) fn png(text: &str, scale: usize) -> Result<Vec<u8>, PictureError> {
    let code = QrCode::with_error_correction_level(text, CORRECTION)?;
    let modules = code.width();
    let pixels = (modules + 2 * QUIET_MODULES) * scale;
    let row_bytes = pixels.div_ceil(8);
    // In one-bit greyscale a set bit is white.
    let mut image = vec![0xff_u8; row_bytes * pixels];
    for y in 0..modules {
        for x in 0..modules {
            if code[(x, y)] == Color::Light {
                continue;
            }
            for row in (y + QUIET_MODULES) * scale..(y + QUIET_MODULES + 1) * scale {
                for column in (x + QUIET_MODULES) * scale..(x + QUIET_MODULES + 1) * scale {
                    image[row * row_bytes + column / 8] &= !(0x80 >> (column % 8));
                }
            }
        }
    }
    let side = u32::try_from(pixels).expect("a QR code has at most 177 modules");
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header()?.write_image_data(&image)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://furrow.example/p/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    #[test]
    fn the_png_shows_the_modules() {
        let code = QrCode::with_error_correction_level(URL, CORRECTION).unwrap();
        let file = png(URL, 3).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
        let mut image = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut image).unwrap();
        assert_eq!(info.width as usize, (code.width() + 8) * 3);
        let bit = |x: usize, y: usize| image[y * info.line_size + x / 8] >> (7 - x % 8) & 1;
        assert_eq!(bit(0, 0), 1, "the quiet zone is white");
        for y in 0..code.width() {
            for x in 0..code.width() {
                let dark = code[(x, y)] == Color::Dark;
                assert_eq!(bit((x + 4) * 3 + 1, (y + 4) * 3 + 1) == 0, dark, "module {x}, {y}");
            }
        }
    }

    #[test]
    fn the_svg_is_one() {
        let image = svg(URL).unwrap();
        assert!(image.contains("<svg") && image.contains("#000"));
        assert!(svg(&"x".repeat(5000)).is_err());
    }
}
