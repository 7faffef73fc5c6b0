import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Parses valid JSON into maps, lists, strings, numbers, booleans and null. */
final class Json {
  private final String text;
  private int at;

  Json(String text) {
    this.text = text;
  }

  Object read() {
    switch (next()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return string();
      default:
        return literal();
    }
  }

  /** Returns the next character other than white space without consuming it. */
  private char next() {
    while (Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return text.charAt(at);
  }

  private Map<String, Object> object() {
    Map<String, Object> members = new LinkedHashMap<>();
    at++;
    while (next() != '}') {
      if (next() == ',') {
        at++;
        next();
      }
      String name = string();
      next();
      at++;
      members.put(name, read());
    }
    at++;
    return members;
  }

  private List<Object> array() {
    List<Object> elements = new ArrayList<>();
    at++;
    while (next() != ']') {
      if (next() == ',') {
        at++;
      }
      elements.add(read());
    }
    at++;
    return elements;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    for (at++; text.charAt(at) != '"'; at++) {
      char c = text.charAt(at);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      c = text.charAt(++at);
      int escape = "bfnrt".indexOf(c);
      if (c == 'u') {
        out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
        at += 4;
      } else {
        out.append(escape < 0 ? c : "\b\f\n\r\t".charAt(escape));
      }
    }
    at++;
    return out.toString();
  }

  private Object literal() {
    int start = at;
    while (",]} \t\r\n".indexOf(text.charAt(at)) < 0) {
      at++;
    }
    String literal = text.substring(start, at);
    switch (literal) {
      case "true":
        return Boolean.TRUE;
      case "false":
        return Boolean.FALSE;
      case "null":
        return null;
      default:
        return new BigDecimal(literal);
    }
  }
}
