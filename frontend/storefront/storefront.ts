// What scripts add to the shop's pages. Every page works without them: a form that is not taken
// over here is sent the usual way, and so is one whose taking over fails.

const find = <Kind extends Element = HTMLElement>(selector: string, within: ParentNode = document) =>
  within.querySelector<Kind>(selector);

function write(selector: string, text: string | undefined): void {
  const element = find(selector);
  if (element && text !== undefined) element.textContent = text;
}

function announce(text: string): void {
  write("[data-announce]", text);
}

/** Pages are the same for everybody, so the number of units comes from a cookie. */
function showCount(): void {
  const units = Number(/(?:^|; )cart_count=(\d+)/.exec(document.cookie)?.[1] ?? 0);
  const badge = find("[data-cart-count]");
  if (!badge) return;
  badge.textContent = units ? String(units) : "";
  badge.parentElement?.setAttribute("aria-label", units ? `Cart, ${units} in it` : "Cart");
}

function fields(form: HTMLFormElement): URLSearchParams {
  const sent = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string") sent.append(name, value);
  return sent;
}

// ---- Product: adding to the cart --------------------------------------------------------------

function drawer(): HTMLDialogElement {
  const open = find<HTMLDialogElement>("dialog.drawer");
  if (open) return open;
  const dialog = document.createElement("dialog");
  dialog.className = "drawer";
  dialog.setAttribute("aria-labelledby", "drawer-title");
  dialog.addEventListener("click", ({ target }) => {
    // A click on the backdrop has the dialog itself as its target.
    if (target === dialog || (target as Element).closest("[data-close]")) dialog.close();
  });
  document.body.append(dialog);
  return dialog;
}

async function addToCart(form: HTMLFormElement): Promise<void> {
  const answer = await fetch(`${form.action}?view=drawer`, { method: "POST", body: fields(form) });
  if (answer.redirected) return location.assign(answer.url); // sold out meanwhile: its page says so
  if (!answer.ok) throw new Error(String(answer.status));
  const dialog = drawer();
  dialog.innerHTML = await answer.text();
  showCount();
  announce(find("[data-said]", dialog)?.dataset.said ?? "");
  dialog.showModal();
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-add]")) {
  const button = find<HTMLButtonElement>("[data-buy]", form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (button?.getAttribute("aria-busy")) return;
    button?.setAttribute("aria-busy", "true");
    addToCart(form)
      .catch(() => form.submit())
      .finally(() => button?.removeAttribute("aria-busy"));
  });
}

// ---- Product: choosing a finish ---------------------------------------------------------------

interface Look {
  sku: string;
  choices: string[];
  label: string;
  price: string;
  material: string;
  poster: string;
  stock: string;
  words: string;
}

const buying = find("[data-add]");
const looks = JSON.parse(find("[data-looks]")?.textContent ?? "[]") as Look[];
const chosen = () => buying?.querySelectorAll<HTMLInputElement>(".looks :checked") ?? [];

/** The variant with these choices; if there is none, the one that agrees with the last of them. */
function nearest(wanted: string[], changed: number): Look | undefined {
  const agrees = (look: Look) => look.choices.filter((choice, at) => choice === wanted[at]).length;
  return looks
    .filter((look) => look.choices[changed] === wanted[changed])
    .sort((a, b) => agrees(b) - agrees(a))[0];
}

function show(look: Look): void {
  for (const [at, radio] of [...chosen()].entries()) {
    const wanted = look.choices[at];
    if (radio.value === wanted) continue;
    const others = buying?.querySelectorAll<HTMLInputElement>(`[name="${radio.name}"]`) ?? [];
    for (const other of others) other.checked = other.value === wanted;
  }
  const viewer = find("[data-product] product-3d");
  const picture = find<HTMLImageElement>("[data-product] .stage img");
  viewer?.setAttribute("label", look.label);
  viewer?.setAttribute("variant", look.material);
  // The viewer changes its own poster.
  if (picture && look.poster && !customElements.get("product-3d")) picture.src = look.poster;
  if (picture) picture.alt = look.label;
  write(".buy-price", look.price);
  write("[data-sku]", look.sku);
  write(".stock", look.words);
  find(".stock")?.setAttribute("data-stock", look.stock);
  const button = find<HTMLButtonElement>("[data-buy]");
  if (button) {
    button.disabled = look.stock === "sold_out";
    button.textContent = button.disabled ? "Sold out" : "Add to cart";
  }
  history.replaceState(history.state, "", `?variant=${encodeURIComponent(look.sku)}`);
}

function showChosen(changed: number): void {
  const look = nearest([...chosen()].map((radio) => radio.value), changed);
  if (look) show(look);
}

buying?.addEventListener("change", ({ target }) => {
  const at = [...chosen()].indexOf(target as HTMLInputElement);
  if (at >= 0) showChosen(at);
});
// A browser that restores the form on the way back restores the choice without a change event.
addEventListener("pageshow", () => {
  showCount();
  if ([...chosen()].some((radio) => !radio.defaultChecked)) showChosen(0);
});

// ---- Listings: addresses without empty parameters ---------------------------------------------

find<HTMLFormElement>("[data-sieve]")?.addEventListener("formdata", ({ formData }) => {
  for (const [name, value] of [...formData]) {
    if (value !== "") continue;
    const kept = formData.getAll(name).filter((other) => other !== "");
    formData.delete(name);
    for (const other of kept) formData.append(name, other);
  }
});

// ---- Checkout ---------------------------------------------------------------------------------

const checkout = find<HTMLFormElement>("[data-checkout]");

/** Delivery and taxes for another country, into the page as it stands. */
async function requote(form: HTMLFormElement): Promise<void> {
  const sent = fields(form);
  sent.delete("card");
  sent.set("step", "quote");
  const answer = await fetch(form.action, { method: "POST", body: sent });
  if (!answer.ok || answer.redirected) return location.reload();
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const old of document.querySelectorAll("[data-swap]")) {
    const now = find(`[data-swap="${old.getAttribute("data-swap")}"]`, fresh);
    if (now) old.replaceWith(now);
  }
  const example = find<HTMLInputElement>("#postal_code", fresh)?.placeholder;
  const postal = find<HTMLInputElement>("#postal_code");
  if (example && postal) postal.placeholder = example;
  announce(`Total ${find("[data-swap=total]")?.textContent ?? ""}`);
}

if (checkout) {
  find("#country", checkout)?.addEventListener("change", () => {
    requote(checkout).catch(() => announce("The total could not be worked out. Try again."));
  });
  const pay = find<HTMLButtonElement>("[data-pay]", checkout);
  checkout.addEventListener("submit", () => {
    if (pay) setTimeout(() => (pay.disabled = true)); // after the form has been read
  });
  addEventListener("pageshow", () => {
    if (pay) pay.disabled = false;
  });
}

find("[data-focus]")?.focus();

// ---- Order: the bank has not answered yet -----------------------------------------------------

if (find("[data-poll]")) setTimeout(() => location.reload(), 4000);

// ---- The picture one follows grows into the stage ----------------------------------------------

addEventListener("pageswap", (event) => {
  const { activation, viewTransition } = event as Event & {
    activation?: { entry?: { url?: string | null } } | null;
    viewTransition?: object | null;
  };
  const address = activation?.entry?.url;
  if (!viewTransition || !address) return;
  const link = find(`.card a[href="${new URL(address).pathname}"]`);
  const picture = link?.closest(".card")?.querySelector("img");
  if (!picture) return;
  find(".stage > *")?.style.setProperty("view-transition-name", "none");
  picture.style.setProperty("view-transition-name", "stage");
});

export {};
