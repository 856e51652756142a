//! How a page looks: its size, its colours, paper, and pictures of it.

use super::Browser;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

impl Browser {
    /// What is to be seen, as PNG.
    pub fn screenshot(&self) -> Vec<u8> {
        picture(&self.command("GET", "/screenshot", &Value::Null))
    }

    /// The whole page from its top, as PNG, but no more than so many CSS pixels of its height.
    pub fn whole_page(&self, highest: u32) -> Vec<u8> {
        let size = &self.devtools("Page.getLayoutMetrics", &json!({}))["cssContentSize"];
        let height = size["height"].as_f64().unwrap_or_default().min(f64::from(highest));
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": height, "scale": 1});
        let wanted = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        picture(&self.devtools("Page.captureScreenshot", &wanted)["data"])
    }

    /// Makes the page so wide and high, in CSS pixels.
    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Prefers dark colours, or light ones.
    pub fn prefer_dark(&self, dark: bool) {
        self.show_on("", dark);
    }

    /// Shows the page as it would be printed. [`prefer_dark`](Self::prefer_dark) ends that.
    pub fn print_it(&self) {
        self.show_on("print", false);
    }

    /// A custom property of the page's root, such as `--ink`.
    pub fn token(&self, name: &str) -> String {
        let script = format!("return getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()");
        self.run(&script).as_str().unwrap_or_default().to_owned()
    }

    fn show_on(&self, medium: &str, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = |name: &str, value: &str| json!({"name": name, "value": value});
        // a colour that is on its way to another one is neither
        let features = [feature("prefers-color-scheme", value), feature("prefers-reduced-motion", "reduce")];
        self.devtools("Emulation.setEmulatedMedia", &json!({"media": medium, "features": features}));
    }
}

fn picture(encoded: &Value) -> Vec<u8> {
    BASE64_STANDARD.decode(encoded.as_str().expect("a picture is a text")).expect("a picture is base64")
}
