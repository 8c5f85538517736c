//! All that is seen, from front to back.

use smithay::backend::renderer::Color32F;
use smithay::backend::renderer::element::solid::SolidColorRenderElement;
use smithay::backend::renderer::element::surface::{
    WaylandSurfaceRenderElement, render_elements_from_surface_tree,
};
use smithay::backend::renderer::element::{AsRenderElements, Id, Kind};
use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::backend::renderer::utils::CommitCounter;
use smithay::desktop::layer_map_for_output;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Physical, Point, Rectangle, Scale};
use smithay::wayland::shell::wlr_layer::Layer;
use vroom_desktop::Rect;

use crate::paint::Placed;
use crate::state::State;

smithay::backend::renderer::element::render_elements! {
    /// One thing to compose.
    pub(crate) Element<=PixmanRenderer>;
    Surface=WaylandSurfaceRenderElement<PixmanRenderer>,
    Painted=Placed,
    Plain=SolidColorRenderElement,
}

impl State {
    /// All that is seen, from front to back.
    pub(crate) fn scene(&mut self) -> Vec<Element> {
        let mut scene = Vec::new();
        if self.output_is_off() {
            if let Some(picture) = self.off_picture() {
                let at = self.notice_area().loc;
                scene.push(
                    picture
                        .at(at.to_physical_precise_round(self.scale()))
                        .into(),
                );
            }
            return scene;
        }
        if self.locked.is_some() {
            if let Some(surface) = self.lock_surface() {
                self.add_surface(&mut scene, &surface, Point::default());
            }
            return scene;
        }
        self.refresh_frames();
        if let Some((icon, at)) = self.drag_icon() {
            self.add_surface(&mut scene, &icon, at);
        }
        if let Some((popup, at)) = self.input_popup() {
            self.add_surface(&mut scene, &popup, at);
        }
        self.add_layer(&mut scene, Layer::Overlay);
        let covered = self.is_fullscreen_on_top();
        if !covered {
            self.add_layer(&mut scene, Layer::Top);
            self.add_panel(&mut scene);
        }
        self.add_windows(&mut scene);
        if covered {
            self.add_layer(&mut scene, Layer::Top);
        }
        if let Some(picture) = self.notice_picture() {
            let at = self.notice_area().loc;
            let at = at.to_physical_precise_round(self.scale());
            scene.push(picture.at(at).into());
        }
        self.add_layer(&mut scene, Layer::Bottom);
        self.add_layer(&mut scene, Layer::Background);
        self.add_wallpaper(&mut scene);
        scene
    }

    fn add_surface(
        &mut self,
        scene: &mut Vec<Element>,
        surface: &WlSurface,
        at: Point<i32, Logical>,
    ) {
        let scale = self.scale();
        let at: Point<i32, Physical> = at.to_physical_precise_round(scale);
        scene.extend(render_elements_from_surface_tree::<_, Element>(
            self.screen.renderer(),
            surface,
            at,
            scale,
            1.0,
            Kind::Unspecified,
        ));
    }

    fn add_layer(&mut self, scene: &mut Vec<Element>, layer: Layer) {
        let scale = self.scale();
        let map = layer_map_for_output(&self.output);
        for surface in map.layers_on(layer).rev() {
            let Some(geometry) = map.layer_geometry(surface) else {
                continue;
            };
            let at = geometry.loc.to_physical_precise_round(scale);
            scene.extend(AsRenderElements::render_elements::<Element>(
                surface,
                self.screen.renderer(),
                at,
                Scale::from(scale),
                1.0,
            ));
        }
    }

    fn add_windows(&mut self, scene: &mut Vec<Element>) {
        let scale = self.scale();
        for menu in self.shell.menus.clone().iter().rev() {
            self.add_surface(scene, &menu.surface, menu.x11.geometry().loc);
        }
        if let Some(preview) = self.shell.preview {
            scene.push(plain(
                &self.shell.preview_id,
                preview,
                scale,
                Color32F::new(0.12, 0.17, 0.26, 0.45),
            ));
        }
        let Self { shell, screen, .. } = self;
        let renderer = screen.renderer();
        for window in shell.space.elements().rev() {
            let Some(loc) = shell.space.element_location(window) else {
                continue;
            };
            let content = loc - window.geometry().loc;
            let at: Point<i32, Physical> = content.to_physical_precise_round(scale);
            scene.extend(window.render_elements::<Element>(renderer, at, Scale::from(scale)));
            let frame = shell
                .windows
                .iter()
                .find(|managed| managed.window == *window)
                .and_then(|managed| managed.frame.as_ref());
            let Some(frame) = frame else {
                continue;
            };
            let bar = loc - Point::from((0, super::BAR_PX));
            let place = |at: Point<i32, Logical>| at.to_physical_precise_round(scale);
            scene.push(frame.bar.at(place(bar)).into());
            for (offset, piece) in &frame.shadow {
                scene.push(piece.at(place(loc + *offset)).into());
            }
        }
    }

    fn add_panel(&mut self, scene: &mut Vec<Element>) {
        self.refresh_panel();
        self.refresh_launcher();
        let scale = self.scale();
        let place = |area: Rectangle<i32, Logical>| area.loc.to_physical_precise_round(scale);
        let launcher = self.shell.launcher.as_ref();
        if let Some(picture) = launcher.and_then(|launcher| launcher.picture()) {
            scene.push(picture.at(place(self.launcher_area())).into());
        }
        if let Some(picture) = self.shell.panel.picture() {
            scene.push(picture.at(place(self.panel_area())).into());
        }
    }

    fn add_wallpaper(&mut self, scene: &mut Vec<Element>) {
        if !self.shell.is_painted() {
            return;
        }
        let size = self.screen.size();
        let Self { shell, screen, .. } = self;
        if let Some(picture) = shell.wallpaper.picture(screen.renderer(), size) {
            scene.push(picture.at(Point::default()).into());
        }
    }

    /// Paints the frames of windows that look different now.
    fn refresh_frames(&mut self) {
        let focused = self.focused();
        let scale = self.scale();
        let (style, hot) = (self.shell.style, self.shell.hot.clone());
        let Self { shell, screen, .. } = self;
        for managed in shell.windows.iter_mut().filter(|have| have.mapped) {
            let active = focused.as_ref() == Some(&managed.window);
            let hot = hot.as_ref().filter(|(window, _)| *window == managed.window);
            managed.refresh_frame(
                screen.renderer(),
                style,
                active,
                hot.map(|(_, part)| *part),
                scale,
            );
        }
    }

    /// Whether the topmost window covers the whole output, panels included.
    pub(crate) fn is_fullscreen_on_top(&self) -> bool {
        let top = self.shell.topmost();
        self.shell.windows.iter().any(|managed| {
            Some(&managed.window) == top.as_ref()
                && matches!(managed.fill, super::Fill::Fullscreen { .. })
        })
    }

    /// The pixels of an area in logical coordinates; `None` when none of it is seen.
    pub(crate) fn to_pixels(&self, area: Rectangle<i32, Logical>) -> Option<Rect> {
        let size = self.screen.size();
        let side = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
        let output =
            Rectangle::<i32, Physical>::from_size((side(size.width), side(size.height)).into());
        let limit = Rectangle::<i32, Logical>::from_size((1 << 16, 1 << 16).into());
        let area = area.intersection(limit)?;
        let area = area.to_f64().to_physical(self.scale()).to_i32_round();
        let seen = area.intersection(output).filter(|seen| !seen.is_empty())?;
        let side = |value: i32| u32::try_from(value).unwrap_or(0);
        Some(Rect::new(
            side(seen.loc.x),
            side(seen.loc.y),
            side(seen.size.w),
            side(seen.size.h),
        ))
    }
}

fn plain(id: &Id, area: Rectangle<i32, Logical>, scale: f64, colour: Color32F) -> Element {
    let area = area.to_physical_precise_round(scale);
    let counter = CommitCounter::default();
    Element::Plain(SolidColorRenderElement::new(
        id.clone(),
        area,
        counter,
        colour,
        Kind::Unspecified,
    ))
}
