// Downloads a package in the page: shows the progress, resumes where the connection was lost, checks the SHA-256, and
// only then saves the file. Without it, the links are ordinary downloads.
(function () {
  var largest = 400e6; // bytes that a page may hold in memory
  var stalled = 30000; // milliseconds without data until a connection counts as lost
  var tries = 4; // in a row without data
  if (!window.fetch || !window.AbortController || !window.crypto || !crypto.subtle) {
    return;
  }

  function megabytes(n) {
    return n < 1e6 ? Math.round(n / 1e3) + " KB" : (n / 1e6).toFixed(1) + " MB";
  }

  function pause(ms) {
    return new Promise(function (done) { setTimeout(done, ms); });
  }

  function hex(buffer) {
    return Array.from(new Uint8Array(buffer), function (b) { return b.toString(16).padStart(2, "0"); }).join("");
  }

  // panel shows a transfer below its link.
  function panel(link) {
    var box = document.createElement("div");
    box.className = "transfer";
    var bar = document.createElement("progress");
    bar.setAttribute("aria-label", "Download of " + link.dataset.file);
    var said = document.createElement("p");
    said.setAttribute("role", "status");
    var button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet";
    box.append(bar, said, button);
    link.after(box);
    return {
      box: box,
      show: function (have, size) { bar.max = size; bar.value = have; },
      say: function (text) { if (said.textContent !== text) { said.textContent = text; } },
      offer: function (label, act) { button.textContent = label; button.onclick = act; button.hidden = !label; },
      mood: function (name) { box.dataset.state = name; }
    };
  }

  function Transfer(link) {
    this.link = link;
    this.size = Number(link.dataset.size);
    this.sum = link.dataset.sha256;
    this.file = link.dataset.file;
    this.address = link.href;
    this.panel = panel(link);
    this.restart();
  }

  Transfer.prototype.restart = function () {
    this.parts = [];
    this.have = 0;
  };

  // receive reads one connection to its end. It continues behind what is there already.
  Transfer.prototype.receive = async function () {
    var self = this, timer;
    var abort = this.abort = new AbortController();
    function alive() {
      clearTimeout(timer);
      timer = setTimeout(function () { abort.abort(); }, stalled);
    }
    try {
      alive();
      var answer = await fetch(this.address, {
        signal: abort.signal, cache: "no-store", credentials: "omit",
        headers: this.have ? { Range: "bytes=" + this.have + "-" } : {}
      });
      if (!answer.ok) {
        throw { status: answer.status };
      }
      if (answer.status !== 206) {
        this.restart(); // the whole file, from its first byte
      }
      this.address = answer.url; // behind the redirect, which counts downloads
      var reader = answer.body.getReader();
      for (;;) {
        alive();
        var next = await reader.read();
        if (next.done) {
          return;
        }
        this.parts.push(next.value);
        this.have += next.value.length;
        this.panel.show(this.have, this.size);
        this.panel.say(megabytes(Math.floor(this.have / this.size * 20) / 20 * this.size) + " of " +
          megabytes(this.size));
        if (this.have > this.size) {
          return;
        }
      }
    } finally {
      clearTimeout(timer);
    }
  };

  Transfer.prototype.run = async function () {
    var self = this, failures = 0;
    this.canceled = false;
    this.panel.mood("running");
    this.panel.show(this.have, this.size);
    this.panel.say("Connecting");
    this.panel.offer("Cancel", function () { self.canceled = true; self.abort.abort(); });
    while (this.have < this.size) {
      var before = this.have;
      try {
        await this.receive();
      } catch (e) {
        if (this.canceled) {
          return this.end();
        }
        if (e && e.status) {
          return this.refused(e.status);
        }
      }
      if (this.have >= this.size) {
        break;
      }
      failures = this.have > before ? 1 : failures + 1;
      if (failures >= tries) {
        return this.lost();
      }
      this.panel.say("The connection was lost after " + megabytes(this.have) + ". Resuming …");
      await pause(500 * Math.pow(2, failures));
      if (this.canceled) {
        return this.end();
      }
    }
    return this.check();
  };

  Transfer.prototype.end = function () {
    this.panel.box.remove();
    this.link.transfer = null;
    this.link.focus();
  };

  Transfer.prototype.lost = function () {
    var self = this;
    window.addEventListener("online", function () {
      if (self.panel.box.dataset.state === "stopped") {
        self.run();
      }
    }, { once: true });
    this.panel.mood("stopped");
    this.panel.say("The connection was lost after " + megabytes(this.have) + " of " + megabytes(this.size) +
      ". Choose Resume once you are online again: the download continues there.");
    this.panel.offer("Resume", this.run.bind(this));
  };

  Transfer.prototype.refused = function (status) {
    this.panel.mood("stopped");
    this.panel.say(status === 410 ? "This package was withdrawn. Reload the page and choose another one." :
      status === 404 ? "This package does not exist any more. Reload the page and choose another one." :
        "The server cannot send the package right now. Try again in a minute: the download continues where it stopped.");
    this.panel.offer("Try again", this.run.bind(this));
  };

  Transfer.prototype.check = async function () {
    var self = this;
    this.panel.mood("checking");
    this.panel.say("Checking the SHA-256");
    this.panel.offer("");
    var blob = new Blob(this.parts, { type: "application/zip" });
    var sum = hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
    if (sum !== this.sum) {
      this.restart();
      this.address = this.link.href;
      this.panel.mood("stopped");
      this.panel.say("The file arrived damaged: its SHA-256 is another one. We did not save it.");
      this.panel.offer("Download again", this.run.bind(this));
      return;
    }
    this.restart();
    this.panel.mood("done");
    this.panel.say("Saved " + this.file + ". Its SHA-256 matches.");
    var save = document.createElement("a");
    save.href = URL.createObjectURL(blob);
    save.download = this.file;
    save.click();
    this.panel.offer("Save again", function () { save.click(); });
  };

  document.querySelectorAll(".scripted").forEach(function (text) { text.hidden = false; });

  document.addEventListener("click", function (event) {
    var link = event.target.closest && event.target.closest("a.download[data-sha256]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    var size = Number(link.dataset.size);
    if (!size || size > largest) {
      return;
    }
    event.preventDefault();
    if (!link.transfer) {
      link.transfer = new Transfer(link);
      link.transfer.run();
    }
  });
})();
