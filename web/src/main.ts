/** Starts the page. */
import "./ui/styles/tokens.css";
import "./ui/styles/base.css";
import "./ui/styles/topbar.css";
import "./ui/styles/stage.css";
import "./ui/styles/terminal.css";
import "./ui/styles/sheets.css";
import "./ui/styles/social.css";
import { App } from "./app/app.ts";
import { apply } from "./ui/theme.ts";

apply();
const root = document.getElementById("app");
if (root) void new App(root).start();
