// Where an element is, as a selector: from the nearest id, or from the body.
const path = (element) => {
  const { body, documentElement } = document;
  if (element === body || element === documentElement) return element.localName;
  const steps = [];
  for (let at = element; at && at !== body && at !== documentElement; at = at.parentElement) {
    if (at.id) {
      steps.unshift(`#${CSS.escape(at.id)}`);
      break;
    }
    const alike = [...(at.parentElement?.children ?? [])].filter((one) => one.localName === at.localName);
    const nth = alike.length > 1 ? `:nth-of-type(${alike.indexOf(at) + 1})` : "";
    steps.unshift(at.localName + nth);
  }
  return steps.join(" > ");
};
// Not whether it is within the window, nor whether something lies over it.
const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
