//! The launcher of a desktop: type a few letters, press Enter.

use smithay::backend::input::KeyState;
use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::input::keyboard::{KeysymHandle, keysyms};
use smithay::utils::{Logical, Point, Rectangle};

use super::icons::Icons;
use crate::apps::App;
use crate::paint::{Area, Canvas, Ink, Picture};
use crate::state::State;

/// The open launcher.
pub(crate) struct Launcher {
    search: String,
    /// What fits the search, the best first.
    found: Vec<App>,
    chosen: usize,
    /// The first one that is seen.
    top: usize,
    picture: Option<Picture>,
}

impl Launcher {
    pub(super) fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    fn choose(&mut self, at: usize) {
        self.chosen = at.min(self.found.len().saturating_sub(1));
        self.top = self.top.clamp(
            (self.chosen + 1).saturating_sub(ROWS),
            self.chosen.max((self.chosen + 1).saturating_sub(ROWS)),
        );
        self.picture = None;
    }
}

impl State {
    /// Opens the launcher, or closes it.
    pub(crate) fn toggle_launcher(&mut self) {
        if self.shell.launcher.is_some() {
            return self.close_launcher();
        }
        if !self.has_panel() || self.locked.is_some() {
            return;
        }
        self.drop_grabs();
        self.shell.launcher = Some(Launcher {
            search: String::new(),
            found: self.shell.icons.apps().to_vec(),
            chosen: 0,
            top: 0,
            picture: None,
        });
        self.refocus_pointer();
        self.clock.want();
    }

    /// Closes the launcher.
    pub(crate) fn close_launcher(&mut self) {
        if self.shell.launcher.take().is_some() {
            self.refocus_pointer();
            self.clock.want();
        }
    }

    /// Where the launcher is.
    pub(crate) fn launcher_area(&self) -> Rectangle<i32, Logical> {
        let panel = self.panel_area();
        let width = WIDTH_PX.min(panel.size.w);
        let height = HEIGHT_PX.min(panel.loc.y);
        let at = panel.loc + Point::from((MARGIN_PX, -height - MARGIN_PX));
        Rectangle::new((at.x, at.y.max(0)).into(), (width, height.max(1)).into())
    }

    /// The row of the launcher at a point, if it is open there; the outer `None` is elsewhere.
    pub(crate) fn launcher_hit(&self, at: Point<f64, Logical>) -> Option<Option<usize>> {
        let launcher = self.shell.launcher.as_ref()?;
        let area = self.launcher_area().to_f64();
        if !area.contains(at) {
            return None;
        }
        let below = at.y - area.loc.y - f64::from(HEAD_PX);
        if below < 0.0 {
            return Some(None);
        }
        let row = (0..ROWS).find(|row| below < f64::from(ROW_PX) * (*row as f64 + 1.0));
        let at = row.map(|row| row + launcher.top);
        Some(at.filter(|at| *at < launcher.found.len()))
    }

    /// Starts the program of a row.
    pub(crate) fn press_launcher(&mut self, row: Option<usize>) {
        let app = row.and_then(|row| self.shell.launcher.as_ref()?.found.get(row).cloned());
        if let Some(app) = app {
            self.close_launcher();
            self.launch(&app);
        }
    }

    /// Shows which row the pointer is on.
    pub(crate) fn hover_launcher(&mut self, row: usize) {
        if let Some(launcher) = &mut self.shell.launcher
            && launcher.chosen != row
        {
            launcher.chosen = row;
            launcher.picture = None;
            self.clock.want();
        }
    }

    /// Moves through the list by wheel notches.
    pub(crate) fn scroll_launcher(&mut self, rows: i32) {
        if let Some(launcher) = &mut self.shell.launcher {
            let last = launcher.found.len().saturating_sub(ROWS);
            let step = usize::try_from(rows.unsigned_abs()).unwrap_or(0);
            launcher.top = if rows < 0 {
                launcher.top.saturating_sub(step)
            } else {
                (launcher.top + step).min(last)
            };
            launcher.picture = None;
            self.clock.want();
        }
    }

    /// Takes a key while the launcher is open.
    pub(crate) fn launcher_key(&mut self, key: Key) {
        let Some(launcher) = &mut self.shell.launcher else {
            return;
        };
        match key {
            Key::Close => return self.close_launcher(),
            Key::Start => {
                let chosen = launcher.chosen;
                return self.press_launcher(Some(chosen));
            }
            Key::Up => launcher.choose(launcher.chosen.saturating_sub(1)),
            Key::Down => launcher.choose(launcher.chosen + 1),
            Key::Back => {
                launcher.search.pop();
                self.search_apps();
            }
            Key::Letter(letter) => self.launcher_text(letter.encode_utf8(&mut [0; 4])),
            Key::Other => {}
        }
        self.clock.want();
    }

    /// Adds to the search.
    pub(crate) fn launcher_text(&mut self, text: &str) {
        if let Some(launcher) = &mut self.shell.launcher {
            let room = SEARCH_CHARS.saturating_sub(launcher.search.chars().count());
            let text = text.chars().filter(|letter| !letter.is_control());
            launcher.search.extend(text.take(room));
            self.search_apps();
            self.clock.want();
        }
    }

    fn search_apps(&mut self) {
        let Some(launcher) = &mut self.shell.launcher else {
            return;
        };
        let search = launcher.search.trim().to_lowercase();
        let ranked = self.shell.icons.apps().iter().filter_map(|app| {
            let rank = app.rank(&search)?;
            Some((rank, app.clone()))
        });
        let mut ranked: Vec<_> = ranked.collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        launcher.found = ranked.into_iter().map(|(_, app)| app).collect();
        launcher.top = 0;
        launcher.choose(0);
    }

    /// Paints the launcher anew if it looks different now.
    pub(super) fn refresh_launcher(&mut self) {
        let area = self.launcher_area();
        let scale = self.scale();
        let Self { shell, screen, .. } = self;
        if let Some(launcher) = &mut shell.launcher
            && launcher.picture.is_none()
        {
            let picture = paint(screen.renderer(), &mut shell.icons, launcher, area, scale);
            launcher.picture = picture;
        }
    }
}

/// A key as the launcher understands it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Key {
    Close,
    Start,
    Up,
    Down,
    Back,
    Letter(char),
    Other,
}

impl Key {
    /// What a pressed key means; `None` for a key that was released.
    pub(crate) fn read(key: &KeysymHandle<'_>, state: KeyState, command: bool) -> Option<Self> {
        if state == KeyState::Released {
            return None;
        }
        let sym = key.modified_sym();
        Some(match sym.raw() {
            keysyms::KEY_Escape => Self::Close,
            keysyms::KEY_Return | keysyms::KEY_KP_Enter => Self::Start,
            keysyms::KEY_Up => Self::Up,
            keysyms::KEY_Down | keysyms::KEY_Tab => Self::Down,
            keysyms::KEY_BackSpace => Self::Back,
            _ => {
                let letter = sym.key_char().filter(|letter| !letter.is_control());
                letter
                    .filter(|_| !command)
                    .map_or(Self::Other, Self::Letter)
            }
        })
    }
}

fn paint(
    renderer: &mut PixmanRenderer,
    icons: &mut Icons,
    launcher: &Launcher,
    area: Rectangle<i32, Logical>,
    scale: f64,
) -> Option<Picture> {
    let (width, height) = (area.size.w as f32, area.size.h as f32);
    let mut canvas = Canvas::new(width, height, scale)?;
    let whole = Area::new(0.0, 0.0, width, height);
    canvas.round(whole, 16.0, Ink(22, 25, 35, 0.96));
    let rim = Area::new(0.5, 0.5, width - 1.0, height - 1.0);
    canvas.outline(rim, 15.5, 1.0, Ink(255, 255, 255, 0.10));

    let field = Area::new(14.0, 14.0, width - 28.0, 38.0);
    canvas.round(field, 10.0, Ink(255, 255, 255, 0.08));
    canvas.outline(field, 10.0, 1.2, Ink(122, 162, 255, 0.65));
    let lens = Ink(180, 188, 202, 1.0);
    canvas.circle(31.0, 32.0, 5.6, lens);
    canvas.circle(31.0, 32.0, 4.0, Ink(44, 47, 58, 1.0));
    canvas.line(&[(35.4, 36.4), (38.6, 39.6)], 1.7, lens);
    let (text, ink) = if launcher.search.is_empty() {
        ("Search programs", Ink(150, 158, 173, 1.0))
    } else {
        (launcher.search.as_str(), Ink(240, 243, 248, 1.0))
    };
    let typed = canvas.text(text, (50.0, 37.5), 14.0, width - 80.0, ink);
    let caret = 50.0
        + if launcher.search.is_empty() {
            0.0
        } else {
            typed + 1.5
        };
    canvas.line(
        &[(caret, 25.0), (caret, 41.0)],
        1.3,
        Ink(122, 162, 255, 1.0),
    );

    let head = HEAD_PX as f32;
    if launcher.found.is_empty() {
        let nothing = "No program is called that";
        canvas.text(
            nothing,
            (24.0, head + 26.0),
            13.0,
            width - 48.0,
            Ink(150, 158, 173, 1.0),
        );
    }
    let rows = launcher
        .found
        .iter()
        .enumerate()
        .skip(launcher.top)
        .take(ROWS);
    for (at, app) in rows {
        let y = head + (at - launcher.top) as f32 * ROW_PX as f32;
        if at == launcher.chosen {
            let row = Area::new(10.0, y, width - 26.0, ROW_PX as f32 - 4.0);
            canvas.round(row, 10.0, Ink(122, 162, 255, 0.20));
        }
        let icon = Area::new(20.0, y + 6.0, 32.0, 32.0);
        icons.draw(&mut canvas, &app.id, &app.name, icon);
        let room = width - 100.0;
        let (name, about) = if app.comment.is_empty() {
            (y + 27.0, None)
        } else {
            (y + 19.5, Some(y + 36.0))
        };
        canvas.text(&app.name, (64.0, name), 13.5, room, Ink(240, 243, 248, 1.0));
        if let Some(about) = about {
            canvas.text(
                &app.comment,
                (64.0, about),
                11.0,
                room,
                Ink(150, 158, 173, 1.0),
            );
        }
    }
    if launcher.found.len() > ROWS {
        let track = ROWS as f32 * ROW_PX as f32 - 8.0;
        let count = launcher.found.len() as f32;
        let size = (track * ROWS as f32 / count).max(24.0);
        let last = (launcher.found.len() - ROWS) as f32;
        let at = (track - size) * launcher.top as f32 / last;
        let bar = Area::new(width - 11.0, head + at, 4.0, size);
        canvas.round(bar, 2.0, Ink(255, 255, 255, 0.22));
    }
    canvas.finish(renderer, false)
}

/// The rows that are seen at a time.
const ROWS: usize = 8;

const ROW_PX: i32 = 48;

/// The height of the search field with its margins.
const HEAD_PX: i32 = 64;

const WIDTH_PX: i32 = 380;

const HEIGHT_PX: i32 = HEAD_PX + 8 * ROW_PX + 8;

const MARGIN_PX: i32 = 8;

/// The longest search.
const SEARCH_CHARS: usize = 64;
