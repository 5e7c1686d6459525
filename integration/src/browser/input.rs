//! What a person does with a page: clicks, types, presses keys.

use serde_json::json;

use super::{Page, keys};

/// Where an element is hit by a click, and what lies over it, if that is another one.
const AIM: &str = "element => {
    element.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
    const box = element.getClientRects()[0];
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const hit = document.elementFromPoint(x, y);
    return { x, y, over: element.contains(hit) ? null : hit?.outerHTML ?? 'nothing' };
}";
/// Chooses in a list, or selects all of a field and says that its text is to be typed.
const START_FILLING: &str = "(element, text) => {
    element.focus();
    if (element.localName !== 'select') {
        element.select();
        return true;
    }
    element.value = text;
    if (element.value !== text) throw new Error('there is no such choice');
    for (const event of ['input', 'change']) element.dispatchEvent(new Event(event, { bubbles: true }));
    return false;
}";

impl Page {
    /// Clicks on the first such element. Where that leads to another page, wait for something on it.
    ///
    /// # Panics
    ///
    /// When it does not appear, or another one lies over it.
    pub fn click(&self, selector: &str) {
        let aim = self.with(selector, AIM, "");
        assert!(aim["over"].is_null(), "{selector} cannot be clicked: {} is there", aim["over"]);
        for kind in ["mouseMoved", "mousePressed", "mouseReleased"] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let (x, y) = (&aim["x"], &aim["y"]);
            let event = json!({ "type": kind, "x": x, "y": y, "button": button, "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types into the first such field in place of what is there, or chooses the value in a list.
    ///
    /// # Panics
    ///
    /// When it does not appear, is no field, or has no such value.
    pub fn fill(&self, selector: &str, text: &str) {
        if self.with(selector, START_FILLING, text) == true {
            self.call("Input.insertText", json!({ "text": text }));
        }
    }

    /// Presses a key, with others held: `Tab`, `Enter`, `a`, `Shift+Tab`, `Control+Enter`.
    ///
    /// # Panics
    ///
    /// When there is no such key.
    pub fn press(&self, key: &str) {
        let mut event = keys::down(key);
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.call("Input.dispatchKeyEvent", event);
    }
}
