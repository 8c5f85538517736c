//! What the test programs draw: pictures that tell by their pixels what they are.

/// What is drawn below the barcode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pattern {
    /// Eight still fields.
    Card,
    /// The same with a band of stripes that moves.
    Scroll,
    /// The same with text that moves instead.
    ScrollText,
    /// Waves that wander in all directions.
    Motion,
    /// Text: letters of 8x16 that are none, in colours that video blurs.
    Text,
    /// Dark, and white while it beeps.
    Flash,
}

impl Pattern {
    /// The pattern that an option of the command line asks for.
    pub(crate) fn named(option: &str) -> Option<Self> {
        match option {
            "--scroll" => Some(Self::Scroll),
            "--scroll-text" => Some(Self::ScrollText),
            "--motion" => Some(Self::Motion),
            "--text" => Some(Self::Text),
            "--flash" => Some(Self::Flash),
            _ => None,
        }
    }

    /// Whether it changes by itself.
    pub(crate) const fn moves(self) -> bool {
        matches!(self, Self::Scroll | Self::ScrollText | Self::Motion)
    }

    /// Writes row `y` of a picture of this width and height: B, G, R, unused for each pixel.
    pub(crate) fn row(
        self,
        y: i32,
        (width, height): (i32, i32),
        events: u32,
        step: i32,
        row: &mut [u8],
    ) {
        for (x, pixel) in (0..width).zip(row.chunks_exact_mut(4)) {
            let stripe = y >= height / 2 && ((y + step) / 8) % 2 == 0;
            pixel.copy_from_slice(&match self {
                Self::Scroll if stripe => [30, 30, 30, 255],
                Self::ScrollText if y >= height / 2 => {
                    text_colour(x.unsigned_abs(), (y + step).unsigned_abs(), 0)
                }
                Self::Card | Self::Scroll | Self::ScrollText => card_colour(x, y, width, height),
                Self::Motion => wave_colour(x, y, step),
                Self::Flash => [if step == 0 { 32 } else { 240 }; 4],
                Self::Text => text_colour(x.unsigned_abs(), y.unsigned_abs(), events),
            });
        }
    }
}

/// Writes one row of the barcode to the begin of a row of pixels.
pub(crate) fn bars(events: u32, row: &mut [u8]) {
    let cell = CELL.unsigned_abs() as usize * 4;
    for (bit, bar) in (1..=BITS).zip(row.chunks_exact_mut(cell)) {
        let on = code(events) >> (BITS - bit) & 1 == 1;
        bar.fill(if on { 255 } else { 0 });
    }
}

/// The colour of a pixel of the waves, as B, G, R, unused.
fn wave_colour(x: i32, y: i32, step: i32) -> [u8; 4] {
    let wave = |place: i32| {
        let height = 255 - (place & 511).abs_diff(256).min(255);
        u8::try_from(height).unwrap_or(u8::MAX)
    };
    let blue = wave(x * 2 + y + step * 3);
    let green = wave(y * 3 - x + step * 2);
    let red = wave((x * x + y * y) / 256 - step * 4);
    [blue, green, red, 255]
}

/// The barcode: 16 bits of the count, then 8 bits that prove them.
fn code(events: u32) -> u32 {
    let count = events & 0xFFFF;
    let proof = (count ^ (count >> 8) ^ 0x5A) & 0xFF;
    count << 8 | proof
}

/// Two rows of four colours, as B, G, R, unused.
fn card_colour(x: i32, y: i32, width: i32, height: i32) -> [u8; 4] {
    let column = (x * 4 / width.max(1)).clamp(0, 3);
    let row = (y * 2 / height.max(1)).clamp(0, 1);
    let colours = [
        [
            [48, 48, 200, 255],
            [48, 170, 48, 255],
            [200, 80, 48, 255],
            [220, 220, 220, 255],
        ],
        [
            [40, 200, 220, 255],
            [190, 60, 190, 255],
            [200, 190, 60, 255],
            [70, 70, 70, 255],
        ],
    ];
    usize::try_from(row)
        .ok()
        .and_then(|row| colours.get(row))
        .zip(usize::try_from(column).ok())
        .and_then(|(row, column)| row.get(column))
        .copied()
        .unwrap_or_default()
}

/// The colour of a pixel of the text, as B, G, R, unused.
fn text_colour(x: u32, y: u32, events: u32) -> [u8; 4] {
    let (column, line) = (x / 8, y / 16);
    let (x, y) = (x % 8, y % 16);
    let ink = (1..7).contains(&x) && (2..14).contains(&y);
    if !ink || mix(column, line, y + events * 64) >> x & 1 == 0 {
        return [32, 26, 24, 255];
    }
    let colours = [
        [80, 80, 255, 255],
        [90, 230, 90, 255],
        [255, 150, 60, 255],
        [60, 220, 255, 255],
        [235, 90, 235, 255],
        [240, 240, 240, 255],
    ];
    let index = mix(column, line, 0x1000 + events) as usize % colours.len();
    colours.get(index).copied().unwrap_or_default()
}

/// Mixes three numbers.
fn mix(a: u32, b: u32, c: u32) -> u32 {
    let mixed =
        a.wrapping_mul(73_856_093) ^ b.wrapping_mul(19_349_663) ^ c.wrapping_mul(83_492_791);
    let mixed = (mixed ^ (mixed >> 13)).wrapping_mul(0x5BD1_E995);
    mixed ^ (mixed >> 15)
}

/// The side of one bar, in pixels.
pub(crate) const CELL: i32 = 16;

/// The bars of the barcode.
pub(crate) const BITS: i32 = 24;
