// Keeps the part of a page that changes as it is on the server: what the server sends is put in the
// place of what is there. Without this script the page is as it was when it was loaded.
"use strict";

(() => {
  const region = document.querySelector("[data-live]");
  const status = document.querySelector("[data-live-status]");
  if (!region || !status) return;

  // After how long a refused connection is tried again. A lost one the browser tries itself.
  const RETRY_MS = 5000;
  const FOCUSABLE = "a[href], button, input, [tabindex]";

  let source = null;
  let retry = null;
  // What is still to be shown, while somebody is using what is there.
  let pending = null;

  const say = (word) => {
    if (status.textContent === word) return;
    status.textContent = word;
    status.dataset.state = word;
  };

  // By what an element is found again in the new version.
  const nameOf = (element) =>
    element.id ||
    element.getAttribute("href") ||
    element.getAttribute("aria-label") ||
    (element.form && element.form.getAttribute("action"));

  const find = (tag, name) =>
    [...region.querySelectorAll(FOCUSABLE)].find(
      (element) => element.tagName === tag && nameOf(element) === name,
    );

  // Whether text is selected there, or a button is being pressed.
  const inUse = () => {
    const selection = document.getSelection();
    const selected =
      selection && !selection.isCollapsed && region.contains(selection.anchorNode);
    return selected || region.matches(":active");
  };

  const show = () => {
    if (pending === null || inUse()) return;
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const [tag, name] = focused ? [focused.tagName, nameOf(focused)] : [];
    const scrolled = [...region.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
    region.innerHTML = pending;
    pending = null;
    region.querySelectorAll(".scroll").forEach((box, i) => {
      if (scrolled[i]) [box.scrollLeft, box.scrollTop] = scrolled[i];
    });
    const again = focused && name && find(tag, name);
    if (again) again.focus({ preventScroll: true });
  };

  const close = () => {
    clearTimeout(retry);
    if (source) source.close();
    source = null;
  };

  const open = () => {
    close();
    source = new EventSource(region.dataset.live);
    source.onmessage = (event) => {
      say("live");
      pending = event.data;
      show();
    };
    source.onerror = () => {
      say("offline");
      if (source && source.readyState === EventSource.CLOSED) {
        retry = setTimeout(open, RETRY_MS);
      }
    };
  };

  const follow = () => {
    if (!document.hidden) return open();
    close();
    say("paused");
  };

  document.addEventListener("visibilitychange", follow);
  document.addEventListener("selectionchange", show);
  document.addEventListener("pointerup", () => setTimeout(show));
  document.addEventListener("keyup", () => setTimeout(show));
  // A page that is left holds no connection; one that is come back to has one again.
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && follow());
  follow();
})();
