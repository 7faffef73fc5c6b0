// On every page: the reader's own time beside times in UTC, and buttons that copy what people copy. Pages work without.
(function () {
  "use strict";
  var months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

  function two(n) { return (n < 10 ? "0" : "") + n; }

  // localTime words a time in the reader's zone as pages do: with its day, if that is another one than in UTC.
  function localTime(at) {
    var clock = two(at.getHours()) + ":" + two(at.getMinutes());
    if (at.getDate() === at.getUTCDate()) {
      return clock;
    }
    return two(at.getDate()) + " " + months[at.getMonth()] + " " + at.getFullYear() + ", " + clock;
  }

  function showLocalTimes() {
    document.querySelectorAll("main time[datetime]").forEach(function (time) {
      var at = new Date(time.getAttribute("datetime"));
      if (!/ UTC$/.test(time.textContent.trim()) || isNaN(at) || at.getTimezoneOffset() === 0) {
        return;
      }
      var text = localTime(at) + " your time";
      if (time.closest("table, .timeline")) {
        time.title = text; // there is no room
        return;
      }
      var note = document.createElement("span");
      note.className = "local-time";
      note.textContent = " (" + text + ")";
      time.after(note);
    });
  }

  function addCopyButtons() {
    if (!navigator.clipboard) {
      return; // the page did not come encrypted
    }
    var said = document.createElement("p");
    said.className = "unseen";
    said.setAttribute("role", "status");
    document.querySelectorAll("main .facts code, main code.hash, main code[data-copy]").forEach(function (code) {
      if (code.closest("a, button, summary")) {
        return;
      }
      var row = code.closest("div, td");
      var term = row && row.querySelector("dt");
      var what = code.dataset.copy || (code.classList.contains("hash") ? "SHA-256" : term ? term.textContent.trim() : "");
      var button = document.createElement("button");
      button.type = "button";
      button.className = "copy";
      button.textContent = "Copy";
      button.setAttribute("aria-label", what ? "Copy " + what : "Copy");
      button.addEventListener("click", function () {
        navigator.clipboard.writeText(code.textContent).then(function () { return "Copied"; }, function () {
          return "Not copied";
        }).then(function (outcome) {
          button.textContent = said.textContent = outcome;
          setTimeout(function () { button.textContent = "Copy"; said.textContent = ""; }, 2000);
        });
      });
      code.after(" ", button);
      if (!said.parentNode) {
        document.getElementById("main").append(said);
      }
    });
  }

  showLocalTimes();
  addCopyButtons();
})();
