// Searches while the visitor types: shows what the form's own page finds. Without it, the form's button does.
(function () {
  var field = document.getElementById("q");
  var found = document.getElementById("found");
  if (!field || !found || !window.fetch || !window.DOMParser) {
    return;
  }
  var form = field.form, waiting, latest = 0;

  function search() {
    var turn = ++latest;
    var query = new URLSearchParams(new FormData(form));
    if (!field.value.trim()) {
      query.delete("q");
    }
    var address = location.pathname + (String(query) ? "?" + query : "");
    fetch(address).then(function (answer) {
      return answer.ok ? answer.text() : Promise.reject(answer.status);
    }).then(function (html) {
      var fresh = new DOMParser().parseFromString(html, "text/html").getElementById("found");
      if (fresh && turn === latest) { // not an answer that was overtaken by a later one
        found.replaceChildren.apply(found, Array.from(fresh.childNodes));
        history.replaceState(null, "", address);
      }
    }).catch(function () {}); // the button still works
  }

  field.addEventListener("input", function () {
    clearTimeout(waiting);
    waiting = setTimeout(search, 200);
  });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    clearTimeout(waiting);
    search();
  });
})();
