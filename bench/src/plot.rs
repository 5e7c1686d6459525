//! Pictures: bars and lines on axes that are logarithmic, as SVG that can be read on a light ground
//! and on a dark one.

pub(crate) mod bars;
pub(crate) mod lines;
mod scale;

/// The colours, by what they are for. An image follows the scheme of who looks at it; a viewer that
/// does not know schemes shows it on a light ground.
const STYLE: &str = "\
.ground{fill:#ffffff}text{font:12px system-ui,sans-serif;fill:#1a1e26}.quiet{fill:#545c69}\
.title{font-weight:600;font-size:14px}.grid{stroke:#d4d9e1}.mark{stroke:#1a1e26}\
.c0{color:#2c6cb5}.c1{color:#a3540a}.c2{color:#14652f}.c3{color:#8a3ba6}.c4{color:#ad1f18}\
.c5{color:#79828f}\
@media(prefers-color-scheme:dark){.ground{fill:#13161b}text{fill:#e6e9ee}.quiet{fill:#a6aebb}\
.grid{stroke:#343b46}.mark{stroke:#e6e9ee}.c0{color:#5f9de8}.c1{color:#f0b660}.c2{color:#72d39a}\
.c3{color:#d59bec}.c4{color:#ff968d}.c5{color:#7d8694}}";

/// How many colours there are.
const COLOURS: usize = 6;

/// A picture of this size with this in it. `title` is what it is called, also for who cannot see it.
fn svg(width: f64, height: f64, title: &str, inside: &str) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\
         <style>{STYLE}</style>\n\
         <rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n\
         <text class=\"title\" x=\"12\" y=\"22\">{title}</text>\n{inside}</svg>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The class of what has the colour of this number.
fn colour(number: usize) -> String {
    format!("c{}", number % COLOURS)
}
