import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** Runs the test vectors of a file, the argument. Exits with 1 if one fails. */
public final class Vectors {

  public static void main(String[] args) throws Exception {
    Map<String, Object> pack = map(new Json(new String(Files.readAllBytes(Paths.get(args[0])), StandardCharsets.UTF_8)).read());
    Verifier verifier = new Verifier();
    for (Object each : list(map(pack.get("keySet")).get("keys"))) {
      Map<String, Object> key = map(each);
      verifier.add((String) key.get("kid"), (String) key.get("x"), (String) key.get("y"), strings(key.get("license_types")),
        (String) key.get("issued_from"), (String) key.get("issued_through"),
        key.containsKey("max_days") ? Integer.valueOf(key.get("max_days").toString()) : null);
    }
    int failed = 0;
    List<Object> vectors = list(pack.get("vectors"));
    for (Object each : vectors) {
      Map<String, Object> vector = map(each);
      Verifier.Verdict verdict = verifier.judge((String) vector.get("text"), instance(map(vector.get("instance"))));
      if (!verdict.reasons.equals(vector.get("reasons")) || !verdict.warnings.equals(vector.get("warnings"))
        || !Objects.equals(verdict.terms, vector.get("terms"))) {
        failed++;
        System.out.println("FAIL " + vector.get("name") + ": reasons " + verdict.reasons + ", warnings " + verdict.warnings
          + ", terms " + verdict.terms + "; want " + vector.get("reasons") + ", " + vector.get("warnings") + ", " + vector.get("terms"));
      }
    }
    System.out.println((vectors.size() - failed) + " of " + vectors.size() + " vectors pass");
    System.exit(failed == 0 ? 0 : 1);
  }

  private static Verifier.Instance instance(Map<String, Object> from) {
    Verifier.Instance at = new Verifier.Instance();
    at.server = (String) from.get("server");
    at.loc = from.containsKey("loc") ? Long.parseLong(from.get("loc").toString()) : 0;
    at.edition = (String) from.get("edition");
    at.plugins = from.containsKey("plugins") ? strings(from.get("plugins")) : null;
    at.now = from.containsKey("now") ? OffsetDateTime.parse((String) from.get("now")).toInstant() : null;
    return at;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object value) {
    return (Map<String, Object>) value;
  }

  @SuppressWarnings("unchecked")
  private static List<Object> list(Object value) {
    return (List<Object>) value;
  }

  @SuppressWarnings("unchecked")
  private static List<String> strings(Object value) {
    return (List<String>) value;
  }

  private Vectors() {
  }
}
