// What a page lacks for people who do not see it, who do not use a mouse, or whose screen is narrow.
// Names and roles are those that Chromium gives to screen readers.

const found = [];
const check = (is, problem) => is || found.push(problem);
const each = (selector, look) => [...document.querySelectorAll(selector)].forEach(look);
const hasText = (text) => Boolean(text?.trim());

check(hasText(document.documentElement.lang), "html has no lang");
check(hasText(document.title), "the page has no title");
const tops = [...document.querySelectorAll("h1")].filter(isSeen).length;
check(tops === 1, `the page has ${tops} h1, and needs one`);

// [what it is, which elements are, what they need]
const named = [
  ["field", "input:not([type=hidden], [type=submit], [type=reset], [type=button], [type=image]), select, textarea", "label"],
  ["link", "a[href], area[href], [role=link]", "name"],
  ["button", "button, summary, [role=button], input:is([type=submit], [type=reset], [type=button], [type=image])", "name"],
  ["frame", "iframe", "title"],
  ["drawing", "svg[role=img]", "name"],
];
for (const [what, selector, needs] of named) {
  each(selector, (element) => {
    if (isSeen(element)) check(hasText(element.computedName), `the ${what} ${path(element)} has no ${needs}`);
  });
}
// A placeholder is gone when it is needed: it is no label.
each("input[placeholder], textarea[placeholder]", (element) => {
  const label = element.labels?.length || element.ariaLabel || element.ariaLabelledByElements?.length || element.title;
  if (isSeen(element)) check(label, `the field ${path(element)} has a placeholder for a label`);
});
// An empty alt says that there is nothing to say.
each("img:not([alt])", (image) => check(false, `the image ${path(image)} has no alt`));

const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
new Set(ids.filter((id, at) => ids.indexOf(id) !== at)).forEach((id) => check(false, `the id ${id} is there twice`));
each("[tabindex]", (element) =>
  check(element.tabIndex <= 0, `${path(element)} has the tabindex ${element.tabIndex}, and is out of order`));

// The outermost elements that make the page wider than the window. What scrolls by itself does not.
const room = document.documentElement.clientWidth;
const wide = document.scrollingElement.scrollWidth;
if (wide > room) {
  const isWide = (element) => element.getBoundingClientRect().right + scrollX > room + 0.5;
  const outermost = (element) => {
    if (isSeen(element) && isWide(element)) return [element];
    const scrolls = getComputedStyle(element).overflowX !== "visible";
    return scrolls ? [] : [...element.children].flatMap(outermost);
  };
  const wides = [...document.body.children].flatMap(outermost).slice(0, 3).map(path);
  check(false, `the page is ${wide} pixels wide in ${room}: ${wides.join(", ") || "body"}`);
}
return found;
