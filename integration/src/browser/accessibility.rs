//! Who can read a page, find what is on it, and use it.

use serde_json::Value;

use super::Page;

const PATH: &str = include_str!("path.js");
const CONTRAST: &str = include_str!("contrast.js");
const STRUCTURE: &str = include_str!("structure.js");

impl Page {
    /// Where the element is that has the keyboard: a selector, from the nearest id.
    ///
    /// # Panics
    ///
    /// When the page is gone.
    pub fn focused(&self) -> String {
        let path = self.look("return path(document.activeElement);");
        path.as_str().expect("a path is a string").to_owned()
    }

    /// The texts that can hardly be read: those with less contrast than WCAG 2.2 asks for at level AA.
    ///
    /// # Panics
    ///
    /// When the page is gone.
    pub fn contrast_problems(&self) -> Vec<String> {
        self.list(CONTRAST)
    }

    /// What is missing in the page's structure: its language, title and heading, the names of what is
    /// used, a sane order of focus, and room for all of it in the window.
    ///
    /// # Panics
    ///
    /// When the page is gone.
    pub fn structure_problems(&self) -> Vec<String> {
        self.list(STRUCTURE)
    }

    fn list(&self, script: &str) -> Vec<String> {
        serde_json::from_value(self.look(script)).expect("a script finds a list of texts")
    }

    /// What a script, the body of a function, returns.
    fn look(&self, script: &str) -> Value {
        self.evaluate(&format!("(() => {{ {PATH}\n{script} }})()"))
    }
}
