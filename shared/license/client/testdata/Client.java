import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Properties;
import java.util.StringTokenizer;

/**
 * What the JDK makes of bytes that base64 gave: reads texts (int length, bytes) from standard input until it ends, and answers
 * each with the number of plugins, or -1 where the text is no license, then the edition and the plugins (int length, UTF-8).
 */
public class Client {
  public static void main(String[] args) throws IOException {
    DataInputStream in = new DataInputStream(System.in);
    DataOutputStream out = new DataOutputStream(System.out);
    for (int texts = in.readInt(); texts > 0; texts--) {
      byte[] text = new byte[in.readInt()];
      in.readFully(text);
      answer(new String(text, StandardCharsets.UTF_8), out);
    }
    out.flush();
  }

  private static void answer(String text, DataOutputStream out) throws IOException {
    Properties properties = new Properties();
    try {
      properties.load(new StringReader(text));
    } catch (IllegalArgumentException malformedEscape) {
      out.writeInt(-1);
      return;
    }
    String edition = properties.getProperty("Edition", "");
    Collection<String> plugins = new LinkedHashSet<>();
    StringTokenizer pieces = new StringTokenizer(properties.getProperty("Plugins", ""), ",");
    while (pieces.hasMoreTokens()) {
      plugins.add(pieces.nextToken());
    }
    boolean blank = edition.chars().allMatch(Character::isWhitespace);
    if (blank || plugins.isEmpty()) {
      out.writeInt(-1);
      return;
    }
    out.writeInt(plugins.size());
    write(edition, out);
    for (String plugin : plugins) {
      write(plugin, out);
    }
  }

  private static void write(String s, DataOutputStream out) throws IOException {
    byte[] bytes = s.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }
}
