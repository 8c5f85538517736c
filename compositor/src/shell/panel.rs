//! The panel of a desktop: a button to start programs, the windows, and the time.
//!
//! It steps aside when a program of the distribution brings one.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::utils::{Logical, Point, Rectangle};

use super::Window;
use super::icons::Icons;
use crate::handlers::names;
use crate::paint::{Area, Canvas, Ink, Picture, small, text_width};
use crate::state::State;

/// A part of the panel that does something when pressed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spot {
    /// The button that opens the launcher.
    Start,
    /// The button of a window.
    Task(Window),
    /// The panel itself.
    Ground,
}

/// The panel as it was last painted.
#[derive(Default)]
pub(super) struct Panel {
    look: Option<Look>,
    picture: Option<Picture>,
    tasks: Vec<Task>,
    /// The minute that the clock shows.
    pub(super) shown: Option<u64>,
}

/// The button of a window.
#[derive(Clone, Debug, PartialEq)]
struct Task {
    window: Window,
    title: String,
    app: String,
    active: bool,
    away: bool,
    x: f32,
    width: f32,
}

#[derive(Clone, Debug, PartialEq)]
struct Look {
    width: i32,
    tasks: Vec<Task>,
    open: bool,
    hot: Option<Spot>,
    clock: (String, String),
    scale: f64,
}

impl Panel {
    /// Gives the memory back.
    pub(super) fn release(&mut self) {
        *self = Self::default();
    }

    pub(super) fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }
}

impl State {
    /// Whether the panel of ours is there: on a desktop, unless a program brings one.
    pub(crate) fn has_panel(&self) -> bool {
        let zone = self.shell.zone;
        self.shell.is_painted() && (zone.is_empty() || zone == self.output_area())
    }

    /// Where the panel is.
    pub(crate) fn panel_area(&self) -> Rectangle<i32, Logical> {
        let area = self.output_area();
        let height = PANEL_PX.min(area.size.h);
        let loc = area.loc + Point::from((0, area.size.h - height));
        Rectangle::new(loc, (area.size.w, height).into())
    }

    /// What of the panel lies at a point.
    pub(crate) fn panel_hit(&self, at: Point<f64, Logical>) -> Option<Spot> {
        let area = self.panel_area().to_f64();
        if !self.has_panel() || self.is_fullscreen_on_top() || !area.contains(at) {
            return None;
        }
        let x = small(at.x - area.loc.x);
        if x < START_PX + MARGIN_PX {
            return Some(Spot::Start);
        }
        let tasks = &self.shell.panel.tasks;
        let task = tasks
            .iter()
            .find(|task| (task.x..task.x + task.width).contains(&x));
        Some(task.map_or(Spot::Ground, |task| Spot::Task(task.window.clone())))
    }

    /// Does what a part of the panel is for.
    pub(crate) fn press_panel(&mut self, spot: &Spot) {
        match spot {
            Spot::Start => self.toggle_launcher(),
            Spot::Task(window) => {
                self.close_launcher();
                if self.focused().as_ref() == Some(window) && self.shell.is_topmost(window) {
                    self.minimize(window);
                } else {
                    self.focus(Some(window));
                }
            }
            Spot::Ground => self.close_launcher(),
        }
    }

    /// When the clock shows another minute, while somebody sees it.
    pub(crate) fn clock_deadline(&self, now: Instant) -> Option<Instant> {
        let shown = self.shell.panel.shown?;
        if !self.clock.is_watched() || !self.has_panel() {
            return None;
        }
        let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        let next = Duration::from_secs((shown + 1) * 60);
        Some(now + next.saturating_sub(since))
    }

    /// Lets the clock go on.
    pub(crate) fn follow_clock(&mut self, now: Instant) {
        if self.clock_deadline(now).is_some_and(|at| at <= now) {
            self.shell.panel.shown = None;
            self.clock.want();
        }
    }

    /// Paints the panel anew if it looks different now.
    pub(super) fn refresh_panel(&mut self) {
        if !self.has_panel() {
            self.shell.panel.release();
            return;
        }
        let area = self.panel_area();
        let focused = self.focused();
        let (minute, clock) = clock_text();
        let scale = self.scale();
        let width = area.size.w as f32;
        let room = width - START_PX - CLOCK_PX - 3.0 * MARGIN_PX;
        let windows: Vec<_> = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped && !managed.is_dialog())
            .collect();
        let count = windows.len().max(1) as f32;
        let each = (room / count - GAP_PX).clamp(36.0, TASK_PX);
        let tasks = windows
            .iter()
            .enumerate()
            .filter_map(|(at, managed)| {
                let (title, app) = names(managed.surface()?);
                Some(Task {
                    window: managed.window.clone(),
                    title: if title.is_empty() { app.clone() } else { title },
                    app,
                    active: focused.as_ref() == Some(&managed.window),
                    away: managed.minimized,
                    x: START_PX + 2.0 * MARGIN_PX + at as f32 * (each + GAP_PX),
                    width: each,
                })
            })
            .filter(|task| task.x + task.width < width - CLOCK_PX)
            .collect::<Vec<_>>();
        let look = Look {
            width: area.size.w,
            tasks: tasks.clone(),
            open: self.shell.launcher.is_some(),
            hot: self.shell.hot_spot.clone(),
            clock,
            scale,
        };
        let Self { shell, screen, .. } = self;
        shell.panel.shown = Some(minute);
        shell.panel.tasks = tasks;
        if shell.panel.look.as_ref() != Some(&look) {
            shell.panel.picture = paint(screen.renderer(), &mut shell.icons, &look);
            shell.panel.look = Some(look);
        }
    }
}

fn paint(renderer: &mut PixmanRenderer, icons: &mut Icons, look: &Look) -> Option<Picture> {
    let (width, height) = (look.width as f32, PANEL_PX as f32);
    let mut canvas = Canvas::new(width, height, look.scale)?;
    canvas.clear(Ink(17, 20, 29, 0.86));
    canvas.round(
        Area::new(0.0, 0.0, width, 1.0),
        0.0,
        Ink(255, 255, 255, 0.08),
    );
    let middle = height / 2.0;

    let start = Area::new(MARGIN_PX, 6.0, START_PX - MARGIN_PX, height - 12.0);
    let lit = look.open || look.hot == Some(Spot::Start);
    canvas.round(
        start,
        9.0,
        Ink(255, 255, 255, if lit { 0.18 } else { 0.07 }),
    );
    let (x, _) = start.centre();
    for (row, column) in (0..9).map(|at| (at / 3, at % 3)) {
        let dot = (
            x + (column as f32 - 1.0) * 6.2,
            middle + (row as f32 - 1.0) * 6.2,
        );
        let ink = if row == column {
            Ink(122, 162, 255, 1.0)
        } else {
            Ink(236, 239, 244, 0.92)
        };
        canvas.circle(dot.0, dot.1, 1.75, ink);
    }

    for task in &look.tasks {
        let hot = look.hot == Some(Spot::Task(task.window.clone()));
        let area = Area::new(task.x, 6.0, task.width, height - 12.0);
        let ground = match (task.active, hot) {
            (true, _) => 0.16,
            (false, true) => 0.12,
            (false, false) => 0.05,
        };
        canvas.round(area, 8.0, Ink(255, 255, 255, ground));
        if task.active {
            let mark = Area::new(task.x + task.width / 2.0 - 9.0, height - 5.0, 18.0, 2.5);
            canvas.round(mark, 1.25, Ink(122, 162, 255, 1.0));
        }
        let icon = Area::new(task.x + 7.0, middle - 10.0, 20.0, 20.0);
        icons.draw(&mut canvas, &task.app, &task.title, icon);
        let ink = Ink(230, 234, 241, if task.away { 0.5 } else { 0.95 });
        let room = task.width - 42.0;
        if room > 16.0 {
            canvas.text(&task.title, (task.x + 34.0, middle + 4.5), 12.5, room, ink);
        }
    }

    let (time, date) = &look.clock;
    let right = |text: &str, size: f32| width - 16.0 - text_width(text, size);
    let bright = Ink(240, 243, 248, 0.96);
    canvas.text(
        time,
        (right(time, 13.5), middle - 1.0),
        13.5,
        CLOCK_PX,
        bright,
    );
    canvas.text(
        date,
        (right(date, 10.5), middle + 13.0),
        10.5,
        CLOCK_PX,
        bright.faded(0.66),
    );
    canvas.finish(renderer, false)
}

/// The minute since 1970, and how the clock shows it here.
fn clock_text() -> (u64, (String, String)) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    let stamp = libc::time_t::try_from(seconds).unwrap_or(0);
    // SAFETY: all members of a `tm` are numbers or a pointer, for which zero is a value.
    let mut local: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both point to what lives during the call.
    let known = unsafe { libc::localtime_r(&raw const stamp, &raw mut local) };
    if known.is_null() {
        return (seconds / 60, (String::new(), String::new()));
    }
    let name = |names: &[&'static str], at: i32| {
        let at = usize::try_from(at).unwrap_or(0);
        names.get(at).copied().unwrap_or_default()
    };
    let time = format!("{:02}:{:02}", local.tm_hour, local.tm_min);
    let day = name(&DAYS, local.tm_wday);
    let month = name(&MONTHS, local.tm_mon);
    (
        seconds / 60,
        (time, format!("{day} {} {month}", local.tm_mday)),
    )
}

const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The height of the panel.
pub(crate) const PANEL_PX: i32 = 44;

const MARGIN_PX: f32 = 8.0;

const GAP_PX: f32 = 6.0;

/// The width of the button that opens the launcher, with its margin.
const START_PX: f32 = 48.0;

/// The widest button of a window.
const TASK_PX: f32 = 200.0;

/// The room of the clock.
const CLOCK_PX: f32 = 96.0;
