"""Style and script of the reports, which are written into each page."""

STYLE = """
:root { --ink: #1c1e21; --paper: #fff; --soft: #5c636d; --edge: #d5d9df; --wash: #f4f6f8; --link: #0b57b7;
  --body: #4a7d5c; --meta: #7a6a3a; --teaser: #b3421f; --boilerplate: #6b4aa0; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7e9ec; --paper: #15171a; --soft: #a3abb6; --edge: #3a4048; --wash: #1f2328; --link: #8ab8ff;
    --body: #7fc296; --meta: #cdb86f; --teaser: #ff9d78; --boilerplate: #bda2f2; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 70rem; color: var(--ink); background: var(--paper);
  font: 1rem/1.6 system-ui, "Noto Sans", "Noto Naskh Arabic", "Noto Sans Arabic", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.3; } h2 { font-size: 1.15rem; margin: 2rem 0 .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
a { color: var(--link); } .note { color: var(--soft); font-size: .9rem; margin: .25rem 0; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; inset-inline-start: -99rem; } .skip:focus { position: static; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; padding: 0;
  list-style: none; }
.tiles li { background: var(--wash); border: 1px solid var(--edge); border-radius: .4rem; padding: .6rem .8rem;
  color: var(--soft); font-size: .9rem; }
.tiles b { display: block; color: var(--ink); font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.settings { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; font-size: .85rem; color: var(--soft); }
.settings div { display: flex; gap: .4rem; } .settings dd { margin: 0; color: var(--ink); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: end; padding: .3rem .6rem; border-bottom: 1px solid var(--edge); vertical-align: top;
  font-weight: 400; }
thead th { color: var(--soft); font-size: .85rem; white-space: nowrap; }
th:first-child, td.text, td.bar, td.word, thead th.text { text-align: start; }
td.text { width: 100%; } td.text p { margin: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2rem; }
.tag { border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; font-size: .85rem; white-space: nowrap; }
.tag.body { color: var(--body); } .tag.meta { color: var(--meta); }
.tag.teaser { color: var(--teaser); } .tag.boilerplate { color: var(--boilerplate); }
td.bar { width: 45%; white-space: nowrap; }
td.bar span { display: inline-block; height: 1.1rem; vertical-align: middle; }
.bar .body { --tint: var(--body); } .bar .meta { --tint: var(--meta); }
.bar .teaser { --tint: var(--teaser); } .bar .boilerplate { --tint: var(--boilerplate); }
.bar .gone { background: var(--tint); } .bar .stay { border: 1px solid var(--tint); opacity: .6; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: baseline; position: sticky; top: 0; z-index: 2;
  background: var(--paper); padding: .6rem 0; border-bottom: 1px solid var(--edge); }
input, select { font: inherit; color: inherit; background: var(--wash); border: 1px solid var(--soft);
  border-radius: .3rem; padding: .2rem .5rem; }
details { border-bottom: 1px solid var(--edge); padding: .5rem 0; scroll-margin-top: 4rem; }
summary { cursor: pointer; }
.lines { padding: .5rem 1rem; background: var(--wash); border-radius: .4rem; margin-top: .5rem; }
.lines p { margin: 0; padding: .1rem .4rem; white-space: pre-wrap; min-height: .8em; }
.lines .gone { position: relative; border-inline-start: 3px solid var(--tint);
  background: color-mix(in srgb, var(--tint) 12%, transparent); }
.gone.meta { --tint: var(--meta); } .gone.teaser { --tint: var(--teaser); }
.gone.boilerplate { --tint: var(--boilerplate); } .gone.body { --tint: var(--body); }
.gone del { color: var(--soft); text-decoration-color: var(--tint); }
.why { display: none; position: absolute; inset-inline-end: .5rem; top: 100%; z-index: 1; max-width: 90%;
  font-size: .85rem; line-height: 1.4; padding: .2rem .6rem; color: var(--ink); background: var(--paper);
  border: 1px solid var(--tint); border-radius: .3rem; white-space: normal; text-align: start; }
.gone:hover .why, .gone:focus .why { display: block; }
.cases tbody + tbody > tr:first-child > * { border-top: 3px double var(--soft); }
.cases td.word { white-space: nowrap; } .cases td.text { min-width: 16rem; } .cases p { white-space: pre-wrap; }
.cases del { color: var(--soft); } .cases .wrong del { color: inherit; text-decoration-color: var(--tint); }
.wrong { background: color-mix(in srgb, var(--tint) 12%, transparent); } .wrong b { color: var(--tint); }
.wrong .tag { background: var(--paper); }
.body-lost { --tint: var(--teaser); } .junk-kept { --tint: var(--boilerplate); }
main > .scroll { margin-top: 1rem; } main > .scroll td { white-space: nowrap; }
main > .scroll tbody th { min-width: 9rem; }
.wrong > :first-child { border-inline-start: 3px solid var(--tint); }
figure { margin: 2rem 0; } figure svg { max-width: 100%; height: auto; background: #fff; }
figcaption { color: var(--soft); font-size: .9rem; }
@media print { .filter, .skip { display: none; } details::details-content { content-visibility: visible; } }
"""

SCRIPT = """
const words = document.getElementById("words"), shown = document.getElementById("shown");
const choices = [...document.querySelectorAll(".filter select")], all = [...document.querySelectorAll("details")];
const texts = all.map(item => item.textContent.toLowerCase());
// data-NAME says what an element is to the choice NAME: one value, or several with spaces between.
function fits(item) {
  return choices.every(({name, value}) => !value || item.dataset[name] === undefined
    || item.dataset[name] === value || item.dataset[name].split(" ").includes(value));
}
function filter() {
  const wanted = words.value.toLowerCase().trim();
  let count = 0;
  all.forEach((item, index) => {
    item.hidden = !(texts[index].includes(wanted) && fits(item));
    count += !item.hidden;
    item.querySelectorAll("tbody").forEach(part => { part.hidden = !fits(part); });
  });
  document.querySelectorAll(".group").forEach(group => {
    const own = [...group.querySelectorAll("details")];
    group.hidden = !fits(group) || own.length > 0 && own.every(item => item.hidden);
  });
  shown.textContent = count + " of " + all.length + " shown";
}
function reveal() {
  const target = location.hash.startsWith("#document-") && document.getElementById(location.hash.slice(1));
  if (target) {
    target.hidden = target.closest("section").hidden = false;
    target.open = true;
    target.scrollIntoView();
  }
}
words.addEventListener("input", filter);
choices.forEach(choice => choice.addEventListener("change", filter));
document.querySelector(".filter").addEventListener("submit", event => event.preventDefault());
window.addEventListener("hashchange", reveal);
filter();
reveal();
"""
