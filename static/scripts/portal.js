// 规图: what htmx does not do. Every page works without these; each module binds to data attributes.
import "./messages.js";
import "./upload.js";
import "./autosave.js";
import "./unsaved.js";
import "./dialog.js";
import "./keyboard.js";
